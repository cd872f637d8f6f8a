#include <optional>

#include "cmd/hull/bundle.h"
#include "cmd/hull/command.h"
#include "cmd/hull/exec_process.h"
#include "cmd/hull/foreground.h"
#include "libruntime/factory.h"
#include "libruntime/system/error.h"
#include "libruntime/system/files.h"
#include "libruntime/system/log.h"
#include "specconv/convert.h"
#include "specconv/parse.h"
#include "specconv/validate.h"

namespace hull::cmd {
namespace {

specconv::Process process_of_file(const Options& options, const std::string& path) {
  for (const std::string_view name : overridden_by_process_file(options))
    log::warning("--" + std::string(name) + " has no effect beside --process");
  if (options.positionals().size() > 1) log::warning("the command has no effect beside --process");
  return specconv::parse_process(read_file(path));
}

// The process of the bundle's config.json with the command of the command line.
specconv::Process process_of_bundle(const Options& options, const Container& container) {
  const std::vector<std::string>& words = options.positionals();
  if (words.size() == 1) throw Error("process args cannot be empty");
  const std::string bundle = container.bundle();
  if (bundle.empty()) throw Error("bundle not found in labels");
  const specconv::Spec spec = read_spec(bundle + "/config.json");
  specconv::Process process = spec.process.value_or(specconv::Process());
  if (!spec.process) process.cwd = "/";
  process.args.assign(words.begin() + 1, words.end());
  apply_options(options, container.state()->config.capabilities, process);
  return process;
}

int exec(const Context& context) {
  const Options& options = context.options;
  const bool detach = options.flag("detach");
  LaunchOptions launch = launch_options(options);
  launch.sub_cgroups = options.list("cgroup");
  launch.ignore_paused = options.flag("ignore-paused");

  Container container = Factory(context.globals.root).load(context.id());
  const std::string file = options.text("process");
  const specconv::Process spec =
      file.empty() ? process_of_bundle(options, container) : process_of_file(options, file);
  specconv::validate(spec);
  Process process(specconv::to_process(spec));
  process.options = std::move(launch);
  check_terminal(process.terminal, detach, process.options);

  if (detach) {
    container.run(process);
    return 0;
  }
  Foreground foreground(false);
  foreground.set_console_size(process);
  container.run(process);
  return foreground.wait(process, nullptr);
}

}  // namespace

extern constexpr Command exec_command{
    "exec",
    "execute new process inside the container",
    "<container-id> <command> [arguments...]  || -p process.json <container-id>",
    "Runs a command in a running container. What the options do not say is taken from the process "
    "in\n"
    "the bundle's \"config.json\". The exit status is the command's, 128 and the number of the "
    "signal\n"
    "that killed it, or 255 when it could not be run.\n\n"
    "EXAMPLE:\n       # hull exec <container-id> ps",
    kExecOptions,
    1,
    kAnyNumber,
    Positionals::end_options,
    exec,
    "exec failed: ",
    255};

}  // namespace hull::cmd
