#include "cmd/hull/command.h"
#include "cmd/hull/legacy_container.h"
#include "libruntime/system/log.h"

namespace hull::cmd {
namespace {

int convert(const Context& context) {
  const std::vector<std::string>& words = context.options.positionals();
  const LegacyContainer legacy =
      load_legacy_container(words.empty() ? kContainerFile : words.front());
  std::vector<std::string> args{"sh"};
  if (words.size() > 1) args.assign(words.begin() + 1, words.end());
  if (legacy.container.no_pivot_root)
    log::warning("config.json can't say no_pivot_root: run it with --no-pivot");
  print(legacy_config_json(legacy, std::move(args), context.globals.systemd_cgroup));
  return 0;
}

}  // namespace

extern constexpr Command convert_command{
    "convert",
    "convert a container.json of 2014 to a config.json",
    "[container.json [command [arguments...]]]",
    "Prints the config.json of a container that behaves like the one that a \"container.json\" of\n"
    "Docker's libcontainer describes (of any month of 2014). The directory of the file is the "
    "root\n"
    "file system; when it holds nothing else, the current directory is. The program is the "
    "command,\n"
    "or \"sh\". See hull-nsinit(8) for running such a container as it was done then.\n\n"
    "EXAMPLE:\n       # hull convert container.json /bin/ls -l > config.json",
    {},
    0,
    kAnyNumber,
    Positionals::end_options,
    convert};

}  // namespace hull::cmd
