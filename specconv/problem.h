#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace hull::specconv {

// One thing that is wrong with a configuration: where (JSON pointer, RFC 6901) and what.
struct Problem {
  std::string pointer;
  std::string text;
};

// All that is wrong with a configuration, in the order of discovery, so that a user can mend it at
// once instead of error by error.
class Problems {
 public:
  void add(std::string pointer, std::string text) {
    all_.push_back({std::move(pointer), std::move(text)});
  }
  [[nodiscard]] const std::vector<Problem>& all() const { return all_; }
  [[nodiscard]] bool empty() const { return all_.empty(); }
  // Throws hull::Error when there is any. One: its text, with its pointer as the error's field.
  // Several: "3 errors: /a: x; /b: y; /c: z" (a long list is cut off after 20).
  void throw_if_any() const;

 private:
  std::vector<Problem> all_;
};

// A key or index as the next part of a JSON pointer: "/" and the key with "~" and "/" escaped.
std::string pointer_part(std::string_view key);
inline std::string pointer_part(size_t index) { return "/" + std::to_string(index); }

// The pointer of a value below `base`: pointer_to("/linux", "devices", 3, "path").
template <class... Parts>
std::string pointer_to(std::string_view base, const Parts&... parts) {
  std::string out(base);
  ((out += pointer_part(parts)), ...);
  return out;
}

}  // namespace hull::specconv
