#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "libruntime/system/error.h"
#include "specconv/convert.h"

namespace hull::specconv {

// error: create or start would fail. warning: they would do without.
enum class Severity { error, warning };

struct Finding {
  Severity severity;
  std::string pointer;  // JSON pointer (RFC 6901); empty: the whole of it
  std::string text;
};

class Findings {
 public:
  void error(std::string pointer, std::string text) {
    add({Severity::error, std::move(pointer), std::move(text)});
  }
  void warning(std::string pointer, std::string text) {
    add({Severity::warning, std::move(pointer), std::move(text)});
  }
  // Does what create would do; that it throws is an error, of `pointer` unless it names another.
  void attempt(std::string_view pointer, const std::function<void()>& action);
  // Whether there is one of this value or of one inside it.
  [[nodiscard]] bool has(std::string_view pointer) const;
  // Whether any is an error.
  [[nodiscard]] bool failed() const;
  [[nodiscard]] const std::vector<Finding>& all() const { return all_; }

 private:
  void add(Finding finding);
  std::vector<Finding> all_;
};

// All that is wrong with the text of a config.json, and what this host would make of it: nothing is
// made or changed. The order is that of discovery.
Findings diagnose(std::string_view json_text, const Options& options);

// The part of the specification that a value belongs to: "config.md#mounts".
std::string_view section_of(std::string_view pointer);

}  // namespace hull::specconv
