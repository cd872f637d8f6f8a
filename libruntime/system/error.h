#pragma once

#include <exception>
#include <string>
#include <string_view>

namespace hull {

// As std::source_location, which Clang 14 lacks: as a default argument, the place of the call.
struct SourcePlace {
  const char* file = "";
  const char* function = "";
  unsigned line = 0;
  static constexpr SourcePlace current(const char* in_file = __builtin_FILE(),
                                       const char* in_function = __builtin_FUNCTION(),
                                       unsigned at_line = __builtin_LINE()) {
    return {in_file, in_function, at_line};
  }
};

// What a caller of the library may want to tell apart.
enum class ErrorKind {
  system,  // anything else: see code(), call() and the text
  id_in_use,
  invalid_id,
  container_not_exists,
  container_paused,
  container_not_stopped,
  container_not_running,
  container_not_paused,
  no_process,  // asked of a process that was not started
  config_invalid,
  console_exists,
};
// "container_not_running"
std::string_view error_kind_name(ErrorKind kind);

// What went wrong, in parts, so that each reader (a person, a JSON log, the other process) can take
// what it needs. Printed as one line:
//   STAGE: MESSAGE: CALL: ERRNO TEXT (FIELD); HINT
// The errno text has Go's spelling (lower case), which callers of runc match.
class Error : public std::exception {
 public:
  explicit Error(std::string message, SourcePlace where = SourcePlace::current())
      : message_(std::move(message)), where_(where) {
    compose();
  }
  // With a failed call: its name ("mount") and errno.
  Error(std::string message, std::string_view call, int code,
        SourcePlace where = SourcePlace::current())
      : message_(std::move(message)), call_(call), where_(where), code_(code) {
    compose();
  }

  // The stage of the container's life ("creating the cgroup"). The first one named stays: the
  // innermost knows best.
  Error&& stage(std::string_view text) &&;
  // JSON pointer into config.json ("/mounts/3/source"). The first one named stays.
  Error&& field(std::string_view pointer) &&;
  // What the user can do about it.
  Error&& hint(std::string_view text) &&;
  Error&& kind(ErrorKind kind) &&;
  // The same for an error that was caught and goes on ("catch (Error& e) { e.set_stage(..); throw;
  // }").
  void set_stage(std::string_view text);
  // One more stage before what is there.
  void add_outer_stage(std::string_view text);
  void set_field(std::string_view pointer);
  void set_hint(std::string_view text);

  [[nodiscard]] const char* what() const noexcept override { return text_.c_str(); }
  [[nodiscard]] const std::string& message() const noexcept { return message_; }
  [[nodiscard]] const std::string& stage() const noexcept { return stage_; }
  [[nodiscard]] const std::string& field() const noexcept { return field_; }
  [[nodiscard]] const std::string& call() const noexcept { return call_; }
  [[nodiscard]] const std::string& hint() const noexcept { return hint_; }
  [[nodiscard]] int code() const noexcept { return code_; }
  [[nodiscard]] ErrorKind kind() const noexcept { return kind_; }
  // All parts, one a line, and where in the source it was thrown.
  [[nodiscard]] std::string detail() const;

 private:
  void compose();
  std::string stage_, message_, field_, call_, hint_, text_;
  SourcePlace where_;
  int code_ = 0;
  ErrorKind kind_ = ErrorKind::system;
};

// The text of an errno as Go prints it: "no such file or directory".
std::string errno_text(int code);

// A Go-style quoted string: "a\"b", control characters escaped.
std::string quote(std::string_view text);
// The former name, until its last callers are gone.
inline std::string quoted(std::string_view text) { return quote(text); }

}  // namespace hull
