#include "cmd/hull/command.h"
#include "cmd/hull/criu_options.h"
#include "cmd/hull/run.h"
#include "libruntime/system/log.h"

namespace hull::cmd {
namespace {

constexpr Option kOptions[] = {
    {"console-socket", "", OptionKind::text,
     "path to an AF_UNIX socket which will receive the master end of the console's pseudoterminal"},
    {"image-path", "", OptionKind::text, "path to criu image files for restoring"},
    {"work-path", "", OptionKind::text, "path for saving work files and logs"},
    {"tcp-established", "", OptionKind::flag, "allow open tcp connections"},
    {"tcp-close", "", OptionKind::flag, "restore open tcp connections as closed ones"},
    {"ext-unix-sk", "", OptionKind::flag, "allow external unix sockets"},
    {"shell-job", "", OptionKind::flag, "allow shell jobs"},
    {"file-locks", "", OptionKind::flag, "handle file locks, for safety"},
    {"manage-cgroups-mode", "", OptionKind::text,
     "cgroups mode: soft|full|strict|ignore (default: soft)"},
    {"network-lock", "", OptionKind::text,
     "how tcp connections are kept quiet meanwhile: iptables|nftables|skip (default: criu's)"},
    {"bundle", "b", OptionKind::text, "path to the root of the bundle directory"},
    {"config", "f", OptionKind::text,
     "path to the container specification file, defaults to \"config.json\" in the bundle "
     "directory"},
    {"detach", "d", OptionKind::flag, "detach from the container's process"},
    {"keep", "", OptionKind::flag, "do not delete the container after it exits"},
    {"pid-file", "", OptionKind::text, "specify the file to write the process id to"},
    {"pidfd-socket", "", OptionKind::text,
     "path to an AF_UNIX socket which will receive a file descriptor referencing the init process"},
    {"no-subreaper", "", OptionKind::flag,
     "disable the use of the subreaper used to reap reparented processes"},
    {"no-pivot", "", OptionKind::flag, "accepted for runc's callers: criu decides"},
    {"no-new-keyring", "", OptionKind::flag, "accepted: processes keep no keyring", "", true},
    {"preserve-fds", "", OptionKind::number, "accepted: open files come from the images", "0",
     true},
    {"empty-ns", "", OptionKind::list, "create a namespace, but don't restore its properties"},
    {"auto-dedup", "", OptionKind::flag, "enable auto deduplication of memory images"},
    {"lazy-pages", "", OptionKind::flag, "use userfaultfd to lazily restore memory pages"},
    {"lsm-profile", "", OptionKind::text,
     "Specify an LSM profile to be used during restore in the form of TYPE:NAME."},
    {"lsm-mount-context", "", OptionKind::text,
     "Specify an LSM mount context to be used during restore."},
};

int restore(const Context& context) {
  if (context.globals.rootless_cgroups())
    log::warning("hull restore is untested with rootless containers");
  const CriuOptions options = criu_options(context.options);
  return run_bundle(context, [&](Container& container, Process& process) {
    container.restore(process, options);
  });
}

}  // namespace

extern constexpr Command restore_command{
    "restore",
    "restore a container from a previous checkpoint",
    "<container-id>",
    "Restores the saved state of the container instance that was previously saved using the hull\n"
    "checkpoint command. As with run, the exit status is the program's.",
    kOptions,
    1,
    1,
    Positionals::mixed,
    restore,
    "hull restore failed: "};

}  // namespace hull::cmd
