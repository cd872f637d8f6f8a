#pragma once

#include <sys/types.h>

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "libruntime/system/fd.h"

namespace hull {

// A program to run to its end.
struct Command {
  std::string path;                             // executed as it is, no PATH search
  std::vector<std::string> args;                // args[0] is the name; empty: the path
  std::optional<std::vector<std::string>> env;  // none: the caller's
  std::string dir;                              // empty: the caller's
  std::string_view input;                       // its stdin
  std::optional<std::chrono::nanoseconds> timeout;
  int out_fd = -1;    // its stdout; -1: collected in CommandResult::output
  int err_fd = -1;    // the same for stderr
  int abort_fd = -1;  // the command is killed when this descriptor hangs up (a dead peer's channel)
};

struct CommandResult {
  int status = 0;  // as of waitpid(2)
  bool timed_out = false;
  bool aborted = false;
  int exec_errno = 0;  // execve(2) failed with this
  std::string output;  // the last 4 KiB of what is collected
};

// Runs and waits; on time-out or abort the command gets SIGKILL. Throws Error when it can't be
// started at all.
CommandResult run_command(const Command& command);

// argv or envp for execve(2): pointers into `list`, null at the end.
std::vector<char*> c_strings(const std::vector<std::string>& list);
std::vector<char*> c_strings(std::vector<std::string>&& list) = delete;  // would dangle

// Waits for this child to end; its status as of waitpid(2). -1 when it is no child of ours.
int wait_for(pid_t pid) noexcept;

}  // namespace hull
