#pragma once

#include <optional>
#include <span>
#include <string>

#include "cmd/hull/options.h"

namespace hull::cmd {

// The options before the command: the table, for parser and help.
std::span<const Option> global_options();

// What they say.
struct Globals {
  std::string program;                  // argv[0]
  std::string root;                     // the state root, absolute and cleaned
  bool root_given = false;              // by --root; else it is the default
  bool systemd_cgroup = false;          // cgroups are made by systemd
  bool no_cgroups = false;              // containers stay in the cgroups of the caller
  std::optional<bool> rootless_option;  // --rootless; none: find out

  // Whether this process lacks the host's root privileges, so that cgroups may be out of its reach:
  // --rootless, or what is found.
  [[nodiscard]] bool rootless_cgroups() const;
};

// Checks the options and finds the state root; makes it when it is a user's own below
// $XDG_RUNTIME_DIR. The logger has its options from set_up_logger. Throws hull::Error.
Globals read_globals(const Options& options);

// Points the logger to --log, --log-format, --log-level and --debug. Throws hull::Error.
void set_up_logger(const Options& options);

// The path made absolute from the current directory, and cleaned (Go's filepath.Abs).
std::string absolute_path(const std::string& path);

}  // namespace hull::cmd
