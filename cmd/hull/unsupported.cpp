#include "cmd/hull/command.h"
#include "libruntime/system/error.h"

// Commands of runc that this version does not have. Their options are known, so that hosts which
// look at the help or probe for a command get an answer, and a call fails with a clear text.
namespace hull::cmd {
namespace {

constexpr Option kCheckpointOptions[] = {
    {"image-path", "", OptionKind::text, "path for saving criu image files"},
    {"work-path", "", OptionKind::text, "path for saving work files and logs"},
    {"parent-path", "", OptionKind::text, "path for previous criu image files in pre-dump"},
    {"leave-running", "", OptionKind::flag, "leave the process running after checkpointing"},
    {"tcp-established", "", OptionKind::flag, "allow open tcp connections"},
    {"tcp-skip-in-flight", "", OptionKind::flag, "skip in-flight tcp connections"},
    {"link-remap", "", OptionKind::flag, "allow one to link unlinked files back when possible"},
    {"ext-unix-sk", "", OptionKind::flag, "allow external unix sockets"},
    {"shell-job", "", OptionKind::flag, "allow shell jobs"},
    {"lazy-pages", "", OptionKind::flag, "use userfaultfd to lazily restore memory pages"},
    {"status-fd", "", OptionKind::number, "criu writes \\0 to this FD once lazy-pages is ready",
     "-1"},
    {"page-server", "", OptionKind::text, "ADDRESS:PORT of the page server"},
    {"file-locks", "", OptionKind::flag, "handle file locks, for safety"},
    {"pre-dump", "", OptionKind::flag, "dump memory only, leave the container running after this"},
    {"manage-cgroups-mode", "", OptionKind::text, "cgroups mode: soft|full|strict|ignore", "soft"},
    {"empty-ns", "", OptionKind::list, "create a namespace, but don't restore its properties"},
    {"auto-dedup", "", OptionKind::flag, "enable auto deduplication of memory images"},
};

constexpr Option kRestoreOptions[] = {
    {"console-socket", "", OptionKind::text,
     "path to an AF_UNIX socket which will receive the master end of the console's pseudoterminal"},
    {"image-path", "", OptionKind::text, "path to criu image files for restoring"},
    {"work-path", "", OptionKind::text, "path for saving work files and logs"},
    {"tcp-established", "", OptionKind::flag, "allow open tcp connections"},
    {"ext-unix-sk", "", OptionKind::flag, "allow external unix sockets"},
    {"shell-job", "", OptionKind::flag, "allow shell jobs"},
    {"file-locks", "", OptionKind::flag, "handle file locks, for safety"},
    {"manage-cgroups-mode", "", OptionKind::text, "cgroups mode: soft|full|strict|ignore", "soft"},
    {"bundle", "b", OptionKind::text, "path to the root of the bundle directory"},
    {"detach", "d", OptionKind::flag, "detach from the container's process"},
    {"pid-file", "", OptionKind::text, "specify the file to write the process id to"},
    {"no-subreaper", "", OptionKind::flag,
     "disable the use of the subreaper used to reap reparented processes"},
    {"no-pivot", "", OptionKind::flag, "do not use pivot_root to enter the root file system"},
    {"empty-ns", "", OptionKind::list, "create a namespace, but don't restore its properties"},
    {"auto-dedup", "", OptionKind::flag, "enable auto deduplication of memory images"},
    {"lazy-pages", "", OptionKind::flag, "use userfaultfd to lazily restore memory pages"},
    {"lsm-profile", "", OptionKind::text, "LSM profile for the restored processes, as TYPE:NAME"},
    {"lsm-mount-context", "", OptionKind::text, "LSM mount context for the restored processes"},
};

[[noreturn]] void refuse(const std::string& what) { throw Error(what + " is not supported yet"); }

int checkpoint(const Context&) { refuse("checkpoint"); }
int restore(const Context&) { refuse("restore"); }

}  // namespace

extern constexpr Command checkpoint_command{"checkpoint",
                                            "checkpoint a running container (not supported yet)",
                                            "<container-id>",
                                            "Saves the state of a container.",
                                            kCheckpointOptions,
                                            1,
                                            1,
                                            Positionals::mixed,
                                            checkpoint};

extern constexpr Command restore_command{
    "restore",
    "restore a container from a previous checkpoint (not supported yet)",
    "<container-id>",
    "Restores a container that \"hull checkpoint\" saved.",
    kRestoreOptions,
    1,
    1,
    Positionals::mixed,
    restore};

}  // namespace hull::cmd
