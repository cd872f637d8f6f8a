#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "libruntime/configs/config.h"

namespace hull::plan {

// Where hooks write: descriptors, or -1 for the end of it to be kept for the error.
struct HookOutput {
  int out = -1;
  int err = -1;
};

// Runs hooks of one kind in order, each with `state` (the state JSON) on stdin
// (config.md#posix-platform-hooks). Stops at the first that fails and throws Error: kind, index,
// path, what it did, the end of its output; the field is "/hooks/KIND/N". `abort_fd`: a hook is
// killed when this hangs up. `inherit_env`: a hook without env has the caller's.
void run_hooks(const std::vector<configs::Hook>& hooks, std::string_view kind,
               std::string_view state, bool inherit_env, const HookOutput& output = {},
               int abort_fd = -1);

// The same, but a failure is logged as a warning and the rest still run (poststop).
void run_hooks_leniently(const std::vector<configs::Hook>& hooks, std::string_view kind,
                         std::string_view state, const HookOutput& output = {});

// Where the pid stands in a state JSON that is made before the pid is known.
inline constexpr std::string_view kPidMark = "@PID@";
std::string with_pid(std::string state, pid_t pid);

}  // namespace hull::plan
