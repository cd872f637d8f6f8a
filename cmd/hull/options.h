#pragma once

#include <cstdint>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

// The command line as runc's callers write it (Go's flag package, urfave/cli): `-x` and `--x` are
// one,
// `--x=value` or `--x value`, `--flag=false`, no comma splitting, `--` ends the options.
namespace hull::cmd {

enum class OptionKind {
  flag,    // true or false; no value means true
  text,    // the last one counts
  number,  // a decimal integer; the last one counts
  list,    // each one counts
};

// One row of a command's table: parser and help read it.
struct Option {
  std::string_view name;        // without dashes
  std::string_view short_name;  // another name for it; empty: none
  OptionKind kind;
  std::string_view help;
  std::string_view fallback = {};  // text()'s or number()'s answer when it is not given
  bool hidden = false;             // accepted, but not shown

  [[nodiscard]] bool is_called(std::string_view text) const {
    return text == name || (!short_name.empty() && text == short_name);
  }
};

// A command line that does not fit the table; what() is Go's text for it.
class UsageError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

enum class Positionals {
  end_options,  // the first one ends the options: what follows belongs to another program
  mixed,  // options of the table are taken after them, too; what is unknown there is a positional
};

// The options that were given, and the positionals. Views into argv and the table, which must
// outlive it.
class Options {
 public:
  // `table` must hold what is asked for below. `-h` and `--help` are part of every table. Throws
  // UsageError.
  static Options parse(std::span<const Option> table, std::span<char* const> args,
                       Positionals positionals);

  [[nodiscard]] bool help() const { return help_; }
  // Whether the table has this option.
  [[nodiscard]] bool knows(std::string_view name) const;
  [[nodiscard]] bool given(std::string_view name) const { return last(name) != nullptr; }
  [[nodiscard]] bool flag(std::string_view name) const;
  [[nodiscard]] std::string text(std::string_view name) const;
  [[nodiscard]] int64_t number(std::string_view name) const;
  [[nodiscard]] std::vector<std::string> list(std::string_view name) const;

  [[nodiscard]] const std::vector<std::string>& positionals() const { return positionals_; }

 private:
  struct Given {
    const Option* option;
    std::string_view value;
  };
  // Takes one option at args[i] and moves i to its last word; false when it is none of the table.
  bool take(std::span<char* const> args, size_t& i);
  void take_value(const Option& option, std::string_view called, std::string_view value);
  [[nodiscard]] const Given* last(std::string_view name) const;
  [[nodiscard]] std::string_view fallback(std::string_view name) const;

  std::span<const Option> table_;
  std::vector<Given> given_;
  std::vector<std::string> positionals_;
  bool help_ = false;
};

// strconv.ParseBool of Go: "1", "t", "true", "0", "F", ... Throws std::invalid_argument.
bool parse_bool(std::string_view text);

}  // namespace hull::cmd
