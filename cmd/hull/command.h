#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "cmd/hull/globals.h"
#include "cmd/hull/options.h"

namespace hull::cmd {

// What a command gets: both halves of the command line.
struct Context {
  const Globals& globals;
  const Options& options;

  // The container's ID: the first positional of every command that has one.
  [[nodiscard]] const std::string& id() const { return options.positionals().front(); }
};

// One row of main.cpp's table. Each is defined in the file of its name.
struct Command {
  std::string_view name;
  std::string_view usage;        // one line
  std::string_view arguments;    // of the USAGE line
  std::string_view description;  // paragraphs
  std::span<const Option> options;
  size_t min_arguments;
  size_t max_arguments;
  Positionals positionals;
  // Returns the exit status of this process. Throws hull::Error.
  int (*run)(const Context& context);
  std::string_view error_prefix = {};  // before the text of an error
  int error_status = 1;                // the exit status after one
};

inline constexpr size_t kAnyNumber = SIZE_MAX;

extern const Command checkpoint_command;
extern const Command convert_command;
extern const Command create_command;
extern const Command delete_command;
extern const Command events_command;
extern const Command exec_command;
extern const Command features_command;
extern const Command kill_command;
extern const Command list_command;
extern const Command nsinit_command;
extern const Command pause_command;
extern const Command ps_command;
extern const Command restore_command;
extern const Command resume_command;
extern const Command run_command;
extern const Command spec_command;
extern const Command start_command;
extern const Command state_command;
extern const Command update_command;
extern const Command validate_command;

// All of them, in the order of the help.
std::span<const Command* const> commands();

// To stdout, all of it. Throws hull::Error.
void print(std::string_view text);

}  // namespace hull::cmd
