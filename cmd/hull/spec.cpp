#include <fcntl.h>
#include <unistd.h>

#include <cerrno>

#include "cmd/hull/bundle.h"
#include "cmd/hull/command.h"
#include "libruntime/system/error.h"
#include "libruntime/system/fd.h"
#include "libruntime/system/files.h"
#include "specconv/example.h"

namespace hull::cmd {
namespace {

constexpr Option kOptions[] = {
    {"bundle", "b", OptionKind::text, "path to the root of the bundle directory"},
    {"rootless", "", OptionKind::flag, "generate a configuration for a rootless container"},
};

int spec(const Context& context) {
  if (const std::string bundle = context.options.text("bundle"); !bundle.empty())
    enter_directory(bundle);
  const Fd file(open("config.json", O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666));
  if (!file && errno == EEXIST) throw Error("File config.json exists. Remove it first");
  if (!file) throw Error("cannot make config.json", "open", errno);
  write_all(file.get(),
            specconv::example_config(context.options.flag("rootless"), geteuid(), getegid()),
            "config.json");
  return 0;
}

}  // namespace

extern constexpr Command spec_command{
    "spec",
    "create a new specification file",
    "",
    "Writes a file named \"config.json\" to start from: its container runs \"sh\". Edit it to get "
    "what\n"
    "you need; see https://github.com/opencontainers/runtime-spec/blob/main/config.md\n\n"
    "EXAMPLE:\nA bundle made from a container image, its program changed to \"/hello\":\n\n"
    "    mkdir -p hello/rootfs && cd hello\n"
    "    docker export $(docker create hello-world) | tar -C rootfs -x\n"
    "    hull spec\n"
    "    sed -i 's;\"sh\";\"/hello\";' config.json\n"
    "    hull run container1\n\n"
    "A user without root privileges needs \"--rootless\".",
    kOptions,
    0,
    0,
    Positionals::mixed,
    spec};

}  // namespace hull::cmd
