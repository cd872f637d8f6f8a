#include "libruntime/checkpoint/dump.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <iterator>

#include "libruntime/checkpoint/criu.h"
#include "libruntime/checkpoint/descriptors.h"
#include "libruntime/checkpoint/external_mounts.h"
#include "libruntime/checkpoint/log_excerpt.h"
#include "libruntime/checkpoint/request.h"
#include "libruntime/configs/names.h"
#include "libruntime/system/error.h"
#include "libruntime/system/log.h"

namespace hull::checkpoint {
namespace {

using configs::NamespaceType;

constexpr char kDumpLog[] = "dump.log";

// CRIU versions that some things began with.
constexpr int kFreezesV2 = 3'14'00;
constexpr int kTellsStatus = 3'15'00;

struct JoinableNamespace {
  NamespaceType type;
  int since;
};
constexpr JoinableNamespace kJoinable[] = {{NamespaceType::network, 3'11'00},
                                           {NamespaceType::pid, 3'15'00}};

// A namespace that the container was made to join is not its own: CRIU leaves it alone.
void name_joined_namespaces(RpcOptions& request, const configs::Config& config, int version) {
  for (const JoinableNamespace& one : kJoinable) {
    const configs::Namespace* ns = config.find(one.type);
    if (ns == nullptr || ns->path.empty()) continue;
    const std::string name(configs::name_of(one.type).file);
    if (version < one.since)
      throw Error("criu lacks support for external " + name +
                  " namespace during checkpointing process (old criu version?)");
    struct stat info {};
    if (stat(ns->path.c_str(), &info) != 0)
      throw Error("cannot look at the namespace " + quote(ns->path), "stat", errno);
    request.bytes(kExternal,
                  name + "[" + std::to_string(info.st_ino) + "]:" + namespace_key(one.type));
  }
}

std::string freezer_of(const state::State& state, int version) {
  const auto v1 = state.cgroup_paths.find("freezer");
  if (v1 != state.cgroup_paths.end()) return v1->second;
  const auto v2 = state.cgroup_paths.find("");
  if (v2 == state.cgroup_paths.end() || version < kFreezesV2) return {};
  return v2->second;
}

void require_writable(int fd) {
  const std::string argument = "invalid --status-fd argument " + std::to_string(fd);
  const int flags = fcntl(fd, F_GETFL);
  if (flags < 0) throw Error(argument, "fcntl", errno);
  if ((flags & O_ACCMODE) == O_RDONLY) throw Error(argument + ": not writable");
}

// Lazy pages: tells the caller's descriptor that they can be fetched, once.
class Status {
 public:
  explicit Status(int fd) : fd_(fd) {}
  void tell() {
    if (!fd_) return;
    if (write(fd_.get(), "", 1) != 1)
      log::warning("can't write \\0 to status fd: " + errno_text(errno));
    fd_.reset();
  }

 private:
  Fd fd_;
};

void require_features(Criu& criu, const CriuOptions& options) {
  if (!options.pre_dump && !options.lazy_pages) return;
  const Features wanted{options.pre_dump, options.lazy_pages};
  const Features found = criu.features(wanted);
  std::string missing;
  if (wanted.memory_tracking && !found.memory_tracking) missing += " MemTrack";
  if (wanted.lazy_pages && !found.lazy_pages) missing += " LazyPages";
  if (!missing.empty())
    throw Error("criu is missing features: [" + missing.substr(1) + "]")
        .hint("the kernel or the criu of this host lacks them: criu check --extra");
}

void add_external_things(RpcOptions& request, const state::State& state,
                         const std::vector<pid_t>& processes, const Directories& directories) {
  const ContainerMounts mounts(state.init_pid);
  if (state.config.find(NamespaceType::mount) != nullptr)
    for (const ExternalMount& mount : find_external_mounts(state.config, mounts))
      request.ext_mount(mount.mount_point, mount.key);
  std::vector<pid_t> init_first{state.init_pid};
  std::copy_if(processes.begin(), processes.end(), std::back_inserter(init_first),
               [&](pid_t pid) { return pid != state.init_pid; });
  const std::vector<ExternalFile> files = find_external_files(init_first, mounts);
  for (const ExternalFile& file : files) request.bytes(kExternal, file.name);
  write_descriptors(directories.images.get(), state.external_descriptors, files);
}

}  // namespace

void dump(const state::State& state, const std::vector<pid_t>& processes,
          const CriuOptions& options) {
  const Directories directories = Directories::open(options, kDumpLog, true);
  Criu criu({});
  const int version = criu.version();
  require_version(version);

  RpcOptions request = common_options(options, state.config, directories, kDumpLog);
  request.number(kPid, state.init_pid);
  request.bytes(kRoot, state.config.rootfs);
  request.number(kLeaveRunning, options.leave_running ? 1 : 0);
  request.number(kTcpSkipInFlight, options.tcp_skip_in_flight ? 1 : 0);
  request.number(kLinkRemap, options.link_remap ? 1 : 0);
  name_joined_namespaces(request, state.config, version);
  if (const std::string freezer = freezer_of(state, version); !freezer.empty())
    request.bytes(kFreezeCgroup, freezer);
  if (!options.page_server.empty())
    request.page_server(options.page_server, options.page_server_port);
  if (!options.parent_images.empty()) {
    request.bytes(kParentImages, options.parent_images);
    request.number(kTrackMemory, 1);
  }
  require_features(criu, options);
  const bool tells_status = options.lazy_pages && options.status_fd >= 0;
  if (tells_status && version < kTellsStatus)
    throw Error("--status-fd requires at least CRIU 3.15");
  if (tells_status) require_writable(options.status_fd);
  Status status(tells_status ? options.status_fd : -1);
  if (!options.pre_dump) add_external_things(request, state, processes, directories);

  const RequestType type = options.pre_dump ? RequestType::pre_dump : RequestType::dump;
  const Response response = criu.run(type, request, [&](const Notification& notification, Fd) {
    if (notification.script == "status-ready") status.tell();
  });
  if (!response.success) throw failure(type, response, directories.log);
  // After a pre-dump CRIU waits for another request, and takes the end as a failure.
  if (!criu.end() && !options.pre_dump)
    throw Error("criu failed after the dump").hint("the whole log is " + directories.log);
}

}  // namespace hull::checkpoint
