#include "cmd/hull/command.h"
#include "cmd/hull/criu_options.h"
#include "libruntime/factory.h"
#include "libruntime/system/error.h"
#include "libruntime/system/log.h"

namespace hull::cmd {
namespace {

constexpr Option kOptions[] = {
    {"image-path", "", OptionKind::text, "path for saving criu image files"},
    {"work-path", "", OptionKind::text, "path for saving work files and logs"},
    {"parent-path", "", OptionKind::text,
     "path for previous criu image files in pre-dump, relative to the image path"},
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
    {"pre-dump", "", OptionKind::flag,
     "dump container's memory information only, leave the container running after this"},
    {"manage-cgroups-mode", "", OptionKind::text,
     "cgroups mode: soft|full|strict|ignore (default: soft)"},
    {"network-lock", "", OptionKind::text,
     "how tcp connections are kept quiet meanwhile: iptables|nftables|skip (default: criu's)"},
    {"empty-ns", "", OptionKind::list, "create a namespace, but don't restore its properties"},
    {"auto-dedup", "", OptionKind::flag, "enable auto deduplication of memory images"},
};

int checkpoint(const Context& context) {
  if (context.globals.rootless_cgroups())
    log::warning("hull checkpoint is untested with rootless containers");
  Container container = Factory(context.globals.root).load(context.id());
  const CriuOptions options = criu_options(context.options);
  container.checkpoint(options);
  if (options.leave_running || options.pre_dump) return 0;
  try {
    container.destroy();
  } catch (const Error& error) {
    // Who waits for it (`hull run`) may have been faster.
    if (error.kind() != ErrorKind::container_not_exists) throw;
  }
  return 0;
}

}  // namespace

extern constexpr Command checkpoint_command{
    "checkpoint",
    "checkpoint a running container",
    "<container-id>",
    "The checkpoint command saves the state of the container instance, with the help of criu. The\n"
    "container is deleted then, unless --leave-running or --pre-dump is given.",
    kOptions,
    1,
    1,
    Positionals::mixed,
    checkpoint};

}  // namespace hull::cmd
