#include "cmd/hull/bundle.h"
#include "cmd/hull/command.h"
#include "cmd/hull/notify.h"
#include "libruntime/factory.h"

namespace hull::cmd {
namespace {

constexpr Option kOptions[] = {
    {"bundle", "b", OptionKind::text,
     "path to the root of the bundle directory, defaults to the current directory"},
    {"config", "f", OptionKind::text,
     "path to the container specification file, defaults to \"config.json\" in the bundle "
     "directory"},
    {"console-socket", "", OptionKind::text,
     "path to an AF_UNIX socket which will receive the master end of the console's pseudoterminal"},
    {"pidfd-socket", "", OptionKind::text,
     "path to an AF_UNIX socket which will receive a file descriptor referencing the init process"},
    {"pid-file", "", OptionKind::text, "specify the file to write the process id to"},
    {"no-pivot", "", OptionKind::flag,
     "do not use pivot_root to enter the root file system (for one on top of a ramdisk)"},
    {"no-new-keyring", "", OptionKind::flag,
     "do not create a new session keyring: the container inherits the caller's"},
    {"preserve-fds", "", OptionKind::number,
     "pass N additional file descriptors to the container (stdio + $LISTEN_FDS + N in total)", "0"},
    {"no-mount-fallback", "", OptionKind::flag, "accepted for old callers and ignored", "", true},
};

int create(const Context& context) {
  Bundle bundle = load_bundle(context);
  check_terminal(bundle.process && bundle.process->terminal, true, bundle.launch);

  auto notify = NotifyProxy::from_environment(context.globals.root, context.id());
  if (notify) {
    notify->make_directory();  // start makes the socket
    bundle.launch.notify_socket = notify->path();
  }
  Container container =
      Factory(context.globals.root).create(context.id(), std::move(bundle.config));
  if (bundle.process) {
    bundle.process->options = bundle.launch;
    container.start(*bundle.process);
  } else {
    container.start(bundle.launch);
  }
  if (notify) notify->keep();
  return 0;
}

}  // namespace

extern constexpr Command create_command{
    "create",
    "create a container",
    "<container-id>",
    "Creates a container from a bundle: a directory with a specification file named "
    "\"config.json\" and\n"
    "a root file system. Its program does not run before \"hull start\".\n\n"
    "\"<container-id>\" is your name for the container. It must be unique on your host.",
    kOptions,
    1,
    1,
    Positionals::mixed,
    create,
    "hull create failed: "};

}  // namespace hull::cmd
