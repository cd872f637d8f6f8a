#include "libruntime/checkpoint/request.h"

#include <fcntl.h>
#include <linux/sched.h>

#include <cctype>

#include "libruntime/checkpoint/criu.h"
#include "libruntime/configs/names.h"
#include "libruntime/state/oci_state.h"
#include "libruntime/system/error.h"
#include "libruntime/system/files.h"
#include "libruntime/system/root_path.h"

namespace hull::checkpoint {
namespace {

constexpr int kDebug = 4;  // CRIU's log level
constexpr char kDefaultConfig[] = "/etc/criu/runc.conf";

Fd open_directory(const std::string& path, bool make) {
  if (make) make_directories(path, 0700);
  return open_or_throw(AT_FDCWD, path, O_RDONLY | O_DIRECTORY);
}

}  // namespace

Directories Directories::open(const CriuOptions& options, const std::string& log_file,
                              bool to_write) {
  if (options.images_directory.empty()) throw Error("no directory for the images is given");
  Directories out;
  out.images_path = options.images_directory;
  out.images = open_directory(out.images_path, to_write);
  out.work_path = options.work_directory;
  if (!out.work_path.empty()) out.work = open_directory(out.work_path, true);
  out.log = (out.work ? out.work_path : out.images_path) + "/" + log_file;
  return out;
}

void Directories::reopen_in(pid_t pid) {
  const RootPath root = RootPath::at("/proc/" + std::to_string(pid) + "/root");
  images = root.open(images_path, O_RDONLY | O_DIRECTORY);
  if (work) work = root.open(work_path, O_RDONLY | O_DIRECTORY);
}

RpcOptions common_options(const CriuOptions& options, const configs::Config& config,
                          const Directories& directories, const std::string& log_file) {
  RpcOptions out;
  out.number(kImagesDirFd, directories.images.get());
  if (directories.work) out.number(kWorkDirFd, directories.work.get());
  out.number(kLogLevel, kDebug);
  out.bytes(kLogFile, log_file);
  out.number(kNotifyScripts, 1);
  out.number(kManageCgroups, 1);
  out.number(kManageCgroupsMode, static_cast<int>(options.cgroups_mode));
  out.number(kShellJob, options.shell_job ? 1 : 0);
  out.number(kTcpEstablished, options.tcp_established ? 1 : 0);
  out.number(kExtUnixSk, options.external_unix_sockets ? 1 : 0);
  out.number(kFileLocks, options.file_locks ? 1 : 0);
  out.number(kEmptyNs, options.empty_network ? CLONE_NEWNET : 0);
  out.number(kOrphanPtsMaster, 1);
  out.number(kAutoDedup, options.auto_dedup ? 1 : 0);
  out.number(kLazyPages, options.lazy_pages ? 1 : 0);
  if (options.network_lock != NetworkLock::by_default)
    out.number(kNetworkLock, static_cast<int>(options.network_lock));
  // CRIU's own rule: what the file says goes before all of the above, a missing one does not
  // matter. An empty annotation means none at all.
  const auto file = state::annotation_of(config, "org.criu.config");
  if (!file || !file->empty()) out.bytes(kConfigFile, file.value_or(kDefaultConfig));
  return out;
}

void require_version(int version) {
  if (version < kOldestCriu)
    throw Error("CRIU version " + std::to_string(version) + " must be " +
                std::to_string(kOldestCriu) + " or higher");
}

std::string namespace_key(configs::NamespaceType type) {
  std::string name(configs::name_of(type).file);
  name[0] = static_cast<char>(std::toupper(static_cast<unsigned char>(name[0])));
  return "extRoot" + name + "NS";
}

}  // namespace hull::checkpoint
