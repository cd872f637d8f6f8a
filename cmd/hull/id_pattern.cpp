#include "cmd/hull/id_pattern.h"

#include <regex.h>

#include "libruntime/system/error.h"

namespace hull::cmd {
namespace {

class Pattern {
 public:
  explicit Pattern(const std::string& text) {
    const int code = regcomp(&compiled_, text.c_str(), REG_EXTENDED | REG_NOSUB);
    if (code == 0) return;
    char reason[256];
    regerror(code, &compiled_, reason, sizeof reason);
    throw Error("invalid regular expression " + quote(text) + ": " + reason);
  }
  ~Pattern() { regfree(&compiled_); }
  Pattern(const Pattern&) = delete;
  Pattern& operator=(const Pattern&) = delete;

  [[nodiscard]] bool matches(const std::string& id) const {
    return regexec(&compiled_, id.c_str(), 0, nullptr, 0) == 0;
  }

 private:
  regex_t compiled_{};
};

}  // namespace

std::vector<std::string> matching_ids(std::vector<std::string> ids, const std::string& pattern) {
  const Pattern compiled(pattern);
  std::erase_if(ids, [&](const std::string& id) { return !compiled.matches(id); });
  return ids;
}

}  // namespace hull::cmd
