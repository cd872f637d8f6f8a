#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>

#include "cmd/hull/command.h"
#include "cmd/hull/ps_table.h"
#include "libruntime/factory.h"
#include "libruntime/system/command.h"
#include "libruntime/system/error.h"
#include "libruntime/system/fd.h"
#include "libruntime/system/files.h"

namespace hull::cmd {
namespace {

constexpr Option kOptions[] = {
    {"format", "f", OptionKind::text, "select one of: table or json", "table"},
};

// stdout and stderr of the host's ps(1), which is looked up in $PATH.
std::string run_ps(std::vector<std::string> args) {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) throw Error("cannot make a pipe", "pipe2", errno);
  const Fd reader(ends[0]);
  Fd writer(ends[1]);
  args.insert(args.begin(), "ps");

  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, writer.get(), STDOUT_FILENO);
  posix_spawn_file_actions_adddup2(&actions, writer.get(), STDERR_FILENO);
  pid_t pid = 0;
  const int failure = posix_spawnp(&pid, "ps", &actions, nullptr, c_strings(args).data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  if (failure != 0) throw Error("cannot run ps", "posix_spawn", failure);
  writer.reset();
  std::string output = read_all(reader.get(), "the output of ps");
  const int status = wait_for(pid);
  if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
    throw Error("ps failed with " +
                (WIFEXITED(status) ? "exit status " + std::to_string(WEXITSTATUS(status))
                                   : "signal " + std::to_string(WTERMSIG(status))) +
                ": " + output);
  return output;
}

std::string pids_as_json(const std::vector<pid_t>& pids) {
  if (pids.empty()) return "null\n";  // what Go makes of an empty list
  std::string out;
  for (const pid_t pid : pids) out += (out.empty() ? "[" : ",") + std::to_string(pid);
  return out + "]\n";
}

int ps(const Context& context) {
  const std::vector<pid_t> pids = Factory(context.globals.root).load(context.id()).processes();
  const std::string format = context.options.text("format");
  if (format == "json") {
    print(pids_as_json(pids));
    return 0;
  }
  if (format != "table") throw Error("invalid format option");
  const auto& words = context.options.positionals();
  std::vector<std::string> args(words.begin() + 1, words.end());
  if (args.empty()) args.push_back("-ef");
  print(lines_of_pids(run_ps(std::move(args)), pids));
  return 0;
}

}  // namespace

extern constexpr Command ps_command{"ps",
                                    "ps displays the processes running inside a container",
                                    "<container-id> [ps options]",
                                    "Runs the host's ps with the options (default: \"-ef\") and "
                                    "shows its lines for the container's\n"
                                    "processes. The output must have a column named PID.",
                                    kOptions,
                                    1,
                                    kAnyNumber,
                                    Positionals::end_options,
                                    ps};

}  // namespace hull::cmd
