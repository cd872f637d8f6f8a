#include "libruntime/plan/hooks.h"

#include <sys/wait.h>

#include "libruntime/system/command.h"
#include "libruntime/system/error.h"
#include "libruntime/system/log.h"
#include "libruntime/system/text.h"

namespace hull::plan {
namespace {

std::string outcome(const CommandResult& result) {
  if (result.timed_out) return "hook ran past specified timeout, and was killed";
  if (result.aborted) return "it was killed: the container's init is gone";
  if (WIFSIGNALED(result.status)) return "signal " + std::to_string(WTERMSIG(result.status));
  return "exit status " + std::to_string(WEXITSTATUS(result.status));
}

void call_function(const configs::Hook& hook, const std::string& name, const std::string& field,
                   std::string_view state) {
  try {
    hook.function(std::string(state));
  } catch (const std::exception& e) {
    throw Error("error running " + name + ": " + e.what()).field(field);
  }
}

void run_hook(const configs::Hook& hook, std::string_view kind, size_t index,
              std::string_view state, bool inherit_env, const HookOutput& output, int abort_fd) {
  const std::string name = std::string(kind) + " hook #" + std::to_string(index) + ": " +
                           (hook.function ? "a function" : quote(hook.path));
  const std::string field = "/hooks/" + std::string(kind) + "/" + std::to_string(index);
  if (hook.function) return call_function(hook, name, field, state);
  Command command;
  command.path = hook.path;
  command.args = hook.args;
  if (!hook.env.empty() || !inherit_env) command.env = hook.env;
  command.dir = hook.dir;
  command.input = state;
  if (hook.timeout_ns) command.timeout = std::chrono::nanoseconds(*hook.timeout_ns);
  command.abort_fd = abort_fd;
  command.out_fd = output.out;
  command.err_fd = output.err;
  const CommandResult result = run_command(command);
  if (result.exec_errno != 0)
    throw Error("error running " + name, "execve", result.exec_errno).field(field + "/path");
  if (!result.timed_out && !result.aborted && WIFEXITED(result.status) &&
      WEXITSTATUS(result.status) == 0)
    return;
  std::string text = "error running " + name + ": " + outcome(result);
  const std::string_view kept = trim(result.output);
  if (!kept.empty()) text += ", output: " + std::string(kept);
  throw Error(std::move(text)).field(field);
}

}  // namespace

void run_hooks(const std::vector<configs::Hook>& hooks, std::string_view kind,
               std::string_view state, bool inherit_env, const HookOutput& output, int abort_fd) {
  for (size_t i = 0; i < hooks.size(); ++i)
    run_hook(hooks[i], kind, i, state, inherit_env, output, abort_fd);
}

void run_hooks_leniently(const std::vector<configs::Hook>& hooks, std::string_view kind,
                         std::string_view state, const HookOutput& output) {
  for (size_t i = 0; i < hooks.size(); ++i) {
    try {
      run_hook(hooks[i], kind, i, state, true, output, -1);
    } catch (const Error& e) {
      log::warning(e.what());
    }
  }
}

std::string with_pid(std::string state, pid_t pid) {
  const size_t at = state.find(kPidMark);
  if (at != std::string::npos) state.replace(at, kPidMark.size(), std::to_string(pid));
  return state;
}

}  // namespace hull::plan
