#include "cmd/hull/run.h"

#include <optional>

#include "cmd/hull/foreground.h"
#include "cmd/hull/notify.h"
#include "libruntime/factory.h"
#include "libruntime/system/error.h"
#include "libruntime/system/log.h"

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
    {"detach", "d", OptionKind::flag, "detach from the container's process"},
    {"keep", "", OptionKind::flag, "do not delete the container after it exits"},
    {"pid-file", "", OptionKind::text, "specify the file to write the process id to"},
    {"no-subreaper", "", OptionKind::flag,
     "disable the use of the subreaper used to reap reparented processes"},
    {"no-pivot", "", OptionKind::flag,
     "do not use pivot_root to enter the root file system (for one on top of a ramdisk)"},
    {"no-new-keyring", "", OptionKind::flag,
     "do not create a new session keyring: the container inherits the caller's"},
    {"preserve-fds", "", OptionKind::number,
     "pass N additional file descriptors to the container (stdio + $LISTEN_FDS + N in total)", "0"},
    {"no-mount-fallback", "", OptionKind::flag, "accepted for old callers and ignored", "", true},
};

class Run {
 public:
  Run(const Context& context, const RunContainer& run_container)
      : context_(context),
        run_container_(run_container),
        factory_(context.globals.root),
        detach_(context.options.flag("detach")),
        bundle_(load_bundle(context)),
        notify_(NotifyProxy::from_environment(context.globals.root, context.id())) {
    if (!bundle_.process) throw Error("process property must not be empty").field("/process");
    bundle_.process->options = bundle_.launch;
    check_terminal(bundle_.process->terminal, detach_, bundle_.launch);
  }

  int run() {
    std::optional<Foreground> foreground;
    if (!detach_) {
      foreground.emplace(!context_.options.flag("no-subreaper"));
      foreground->set_console_size(*bundle_.process);
    }
    open_notify_socket();
    Process& process = *bundle_.process;
    try {
      container_.emplace(factory_.create(context_.id(), std::move(bundle_.config)));
      run_container_(*container_, process);
      const int status =
          foreground ? foreground->wait(process, notify_ ? &*notify_ : nullptr) : leave(process);
      if (foreground && !context_.options.flag("keep"))
        clean_up(process.pid());
      else if (notify_)
        notify_->keep();
      return status;
    } catch (...) {
      if (process.started()) clean_up(process.pid());
      throw;
    }
  }

 private:
  void open_notify_socket() {
    if (!notify_) return;
    notify_->make_directory();
    notify_->bind();
    bundle_.process->options.notify_socket = notify_->path();
  }

  int leave(const Process& process) {
    if (notify_) notify_->forward_until_ready(process.pidfd().get(), process.pid());
    return 0;
  }

  // The container is over, in whatever way. What goes wrong now must not hide how its program
  // ended.
  void clean_up(pid_t init) {
    try {
      // Another of this name may have been made meanwhile.
      if (container_->state()->init_pid == init) container_->destroy();
    } catch (const Error& error) {
      if (error.kind() != ErrorKind::container_not_exists) log::error(error.what());
    }
  }

  const Context& context_;
  const RunContainer& run_container_;
  Factory factory_;
  bool detach_;
  Bundle bundle_;
  std::optional<NotifyProxy> notify_;
  std::optional<Container> container_;
};

int run(const Context& context) {
  return run_bundle(context,
                    [](Container& container, Process& process) { container.run(process); });
}

}  // namespace

int run_bundle(const Context& context, const RunContainer& run_container) {
  return Run(context, run_container).run();
}

extern constexpr Command run_command{
    "run",
    "create and run a container",
    "<container-id>",
    "Creates a container from a bundle, runs its program, and deletes it when that has ended. The "
    "exit\n"
    "status is the program's, or 128 and the number of the signal that killed it.\n\n"
    "\"<container-id>\" is your name for the container. It must be unique on your host.",
    kOptions,
    1,
    1,
    Positionals::mixed,
    run,
    "hull run failed: "};

}  // namespace hull::cmd
