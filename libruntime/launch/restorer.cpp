#include "libruntime/launch/restorer.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <memory>

#include "libruntime/checkpoint/criu.h"
#include "libruntime/checkpoint/descriptors.h"
#include "libruntime/checkpoint/external_mounts.h"
#include "libruntime/checkpoint/log_excerpt.h"
#include "libruntime/checkpoint/request.h"
#include "libruntime/configs/names.h"
#include "libruntime/launch/clean_up.h"
#include "libruntime/launch/hook_files.h"
#include "libruntime/launch/mount_points.h"
#include "libruntime/launch/planner.h"
#include "libruntime/launch/record.h"
#include "libruntime/network/devices.h"
#include "libruntime/network/loopback.h"
#include "libruntime/plan/hooks.h"
#include "libruntime/state/oci_state.h"
#include "libruntime/system/error.h"
#include "libruntime/system/files.h"
#include "libruntime/system/syscalls.h"
#include "libruntime/system/text.h"
#include "libruntime/system/unix_socket.h"

namespace hull::launch {
namespace {

using configs::NamespaceType;

constexpr char kRestoreLog[] = "restore.log";
constexpr char kRootDirectory[] = "criu-root";
// Before, another LSM profile than the recorded one was not taken.
constexpr int kTakesLsmProfile = 3'16'00;

// Where CRIU's mount namespace has the container's root file system.
checkpoint::WorkRoot make_work_root(const configs::Config& config, const state::Directory& state) {
  if (mkdirat(state.fd(), kRootDirectory, 0755) != 0)
    throw Error("cannot make the directory " + quote(kRootDirectory), "mkdir", errno);
  const int id = checkpoint::mount_id("/proc/self", state.fd());
  const RootPath root = RootPath::at("/");
  for (const MountInfo& mount : read_mountinfo())
    if (mount.id == id)
      return {config.rootfs, root.path_of(state.fd()) + "/" + kRootDirectory, mount.mount_point};
  throw Error("cannot find the mount that the state directory is on");
}

// What a restored container gets of the host, in the order of the descriptors that CRIU is born
// with.
class Inheritance {
 public:
  // `key` is what the images call it.
  void add(const std::string& key, Fd fd) {
    keys_.push_back(key);
    fds_.push_back(std::move(fd));
  }
  [[nodiscard]] std::vector<int> descriptors() const {
    std::vector<int> out;
    for (const Fd& fd : fds_) out.push_back(fd.get());
    return out;
  }
  void name_in(checkpoint::RpcOptions& request) const {
    for (size_t i = 0; i < keys_.size(); ++i)
      request.inherit_fd(keys_[i], checkpoint::kFirstDescriptor + static_cast<int>(i));
  }

 private:
  std::vector<std::string> keys_;
  std::vector<Fd> fds_;
};

Fd duplicate(int fd) {
  Fd out(fcntl(fd, F_DUPFD_CLOEXEC, 0));
  if (!out) throw Error("cannot duplicate descriptor " + std::to_string(fd), "fcntl", errno);
  return out;
}

std::array<int, 3> streams_of(const LaunchOptions& options) {
  std::array<int, 3> out{0, 1, 2};
  for (size_t i = 0; i < out.size(); ++i)
    if (options.streams[i] >= 0) out[i] = options.streams[i];
  return out;
}

bool is_external(NamespaceType type) {
  return type == NamespaceType::network || type == NamespaceType::pid;
}

void inherit_namespaces(Inheritance& inheritance, const configs::Config& config) {
  for (const configs::Namespace& ns : config.namespaces) {
    if (ns.path.empty() || !is_external(ns.type)) continue;
    Fd fd(open(ns.path.c_str(), O_RDONLY | O_CLOEXEC));
    if (!fd)
      throw Error("Requested " + std::string(configs::name_of(ns.type).spec) + " namespace " +
                      ns.path + " does not exist",
                  "open", errno);
    inheritance.add(checkpoint::namespace_key(ns.type), std::move(fd));
  }
}

void inherit_streams(Inheritance& inheritance, const checkpoint::Descriptors& recorded,
                     const std::array<int, 3>& given) {
  for (size_t i = 0; i < recorded.streams.size() && i <= 2; ++i)
    if (recorded.streams[i].starts_with("pipe:"))
      inheritance.add(recorded.streams[i], duplicate(given[i]));
  for (const checkpoint::ExternalFile& file : recorded.files)
    inheritance.add(file.name, file.stream >= 0 ? duplicate(given[static_cast<size_t>(file.stream)])
                                                : open_or_throw(AT_FDCWD, "/dev/null", O_RDWR));
}

void join_namespaces(checkpoint::RpcOptions& request, const configs::Config& config) {
  for (const configs::Namespace& ns : config.namespaces) {
    if (ns.path.empty() || is_external(ns.type)) continue;
    if (ns.type == NamespaceType::cgroup)
      throw Error("Do not know how to handle namespace NEWCGROUP").field("/linux/namespaces");
    request.join_namespace(configs::name_of(ns.type).file, ns.path);
  }
}

void add_lsm(checkpoint::RpcOptions& request, const CriuOptions& options, int version) {
  if (!options.lsm_profile.empty()) {
    if (version < kTakesLsmProfile) throw Error("--lsm-profile requires at least CRIU 3.16");
    request.bytes(checkpoint::kLsmProfile, options.lsm_profile);
  }
  if (!options.lsm_mount_context.empty()) {
    if (version < kTakesLsmProfile) throw Error("--lsm-mount-context requires at least CRIU 3.16");
    request.bytes(checkpoint::kLsmMountContext, options.lsm_mount_context);
  }
}

// What was the root of the recorded cgroups is the container's new cgroup: CRIU was born in it.
void add_cgroup_roots(checkpoint::RpcOptions& request, pid_t criu) {
  const std::string text = read_file("/proc/" + std::to_string(criu) + "/cgroup");
  for (const std::string_view line : split(text, '\n')) {
    const size_t first = line.find(':');
    const size_t second = first == std::string_view::npos ? first : line.find(':', first + 1);
    if (second == std::string_view::npos) continue;
    for (const std::string_view controller : split(line.substr(first + 1, second - first - 1), ','))
      request.cgroup_root(controller, line.substr(second + 1));
  }
}

// The directory of the caller's socket; without one an empty one, should the images ask for it.
std::string notify_directory(const Request& request) {
  const std::string& socket = request.options.notify_socket;
  if (!socket.empty()) return socket.substr(0, socket.rfind('/'));
  constexpr char kName[] = "notify";
  if (mkdirat(request.directory.fd(), kName, 0755) != 0 && errno != EEXIST)
    throw Error("cannot make the directory " + quote(kName), "mkdir", errno);
  return request.directory.path() + "/" + kName;
}

void add_external_mounts(checkpoint::RpcOptions& request, const configs::Config& config,
                         const cgroups::Manager& cgroup, const std::string& notify) {
  const auto unified = cgroup.paths().find("");
  for (const checkpoint::ExternalSource& one :
       checkpoint::external_sources(config, cgroup.controllers(),
                                    unified == cgroup.paths().end() ? "" : unified->second, notify))
    request.ext_mount(one.key, one.source);
}

// In a user namespace processes open their images themselves, with the rights of the container's
// root user: its group may reach them then, where all others may not.
void let_root_user_in(const Fd& images, const configs::Config& config) {
  if (config.find(NamespaceType::user) == nullptr) return;
  struct stat info {};
  if (fstat(images.get(), &info) != 0)
    throw Error("cannot look at the directory of the images", "fstat", errno);
  if ((info.st_mode & S_IXOTH) != 0) return;
  if (fchown(images.get(), static_cast<uid_t>(-1), host_id(config.gid_mappings, 0)) != 0 ||
      fchmod(images.get(), (info.st_mode & 07777) | S_IXGRP) != 0)
    throw Error("cannot let the container's root user reach the images", "fchown", errno);
}

// Pipes are those that it gets now; what is its own is what it was.
void keep_inner_streams(std::vector<std::string>& now, const std::vector<std::string>& recorded) {
  for (size_t i = 0; i < now.size() && i < recorded.size(); ++i)
    if (!recorded[i].starts_with("pipe:")) now[i] = recorded[i];
}

bool same_namespace(const std::string& a, const std::string& b) {
  struct stat one {};
  struct stat other {};
  return stat(a.c_str(), &one) == 0 && stat(b.c_str(), &other) == 0 && one.st_ino == other.st_ino;
}

// One restoration, from the side that answers CRIU.
class Restoration {
 public:
  Restoration(const Request& request, CleanUp& clean_up, Started& started)
      : request_(request), clean_up_(clean_up), started_(started) {}

  void answer(const checkpoint::Notification& notification, Fd fd) {
    if (notification.script == "setup-namespaces") set_up_namespaces(notification.pid);
    if (notification.script == "orphan-pts-master") take_console(std::move(fd));
    if (notification.script == "post-restore") take_init(notification.pid);
  }

 private:
  void set_up_namespaces(pid_t pid) const {
    const configs::Config& config = request_.state.config;
    const configs::Namespace* network = config.find(NamespaceType::network);
    const std::string net = "/proc/" + std::to_string(pid) + "/ns/net";
    if (network != nullptr && network->path.empty())
      network::bring_loopback_up_in(open_or_throw(AT_FDCWD, net, O_RDONLY).get());
    if (!config.net_devices.empty())
      network::move_devices(config.net_devices, open_or_throw(AT_FDCWD, net, O_RDONLY).get());
    if (config.hooks.prestart.empty() && config.hooks.create_runtime.empty()) return;
    const HookFiles files = HookFiles::open(config);
    const std::string state =
        state::spec_state(config, request_.state.id, "creating", std::to_string(pid));
    plan::run_hooks(config.hooks.prestart, "prestart", state, true, files.output());
    plan::run_hooks(config.hooks.create_runtime, "createRuntime", state, true, files.output());
  }

  void take_console(Fd master) const {
    if (!master) throw Error("the terminal came without a descriptor");
    started_.console = std::move(master);
    if (request_.options.console_socket.empty()) return;
    send_fd(request_.options.console_socket, started_.console.get(), "/dev/ptmx");
    started_.console.reset();
  }

  // All processes are there, and none of them runs yet.
  void take_init(pid_t pid) {
    Child child{pid, Fd(sys::pidfd_open(pid, 0)), plan::Channel(Fd())};
    if (!child.pidfd) throw Error("the restored init has gone", "pidfd_open", errno);
    const Child& init = clean_up_.own(std::move(child));
    state::State& state = request_.state;
    if (state.config.find(NamespaceType::mount) != nullptr)
      (void)checkpoint::find_external_mounts(state.config, checkpoint::ContainerMounts(pid));
    if (state.config.intel_rdt) clean_up_.enter_rdt_group(state, pid);
    const std::string time = "/ns/time";
    if (state.config.find(NamespaceType::time) == nullptr &&
        !same_namespace("/proc/self" + time, "/proc/" + std::to_string(pid) + time))
      state.config.namespaces.push_back({NamespaceType::time, ""});
    describe_init(state, pid);
    request_.directory.save(state);
    started_.pid = pid;
    started_.pidfd = duplicate(init.pidfd.get());
  }

  const Request& request_;
  CleanUp& clean_up_;
  Started& started_;
};

}  // namespace

void restore_container(const Request& request, const CriuOptions& options, Started& started) {
  state::State& state = request.state;
  const configs::Config& config = state.config;
  CleanUp clean_up(request.directory);
  auto directories = checkpoint::Directories::open(options, kRestoreLog, false);
  const auto recorded = checkpoint::read_descriptors(directories.images.get());
  Inheritance inheritance;
  inherit_namespaces(inheritance, config);
  inherit_streams(inheritance, recorded, streams_of(request.options));
  auto new_cgroup = cgroups::make_manager(config.cgroup, cgroups::read_layout());

  describe(state, request.options, *new_cgroup);
  keep_inner_streams(state.external_descriptors, recorded.streams);
  request.directory.save(state);
  cgroups::Manager& cgroup = clean_up.create(std::move(new_cgroup), config.cgroup.resources);
  make_mount_points(config);
  const checkpoint::WorkRoot root = make_work_root(config, request.directory);
  const cgroups::Entrance entrance = cgroup.open_entrance();
  checkpoint::CriuBirth birth;
  if (!request.process->terminal) birth.streams = streams_of(request.options);
  birth.descriptors = inheritance.descriptors();
  birth.entrance = &entrance;
  birth.root = &root;
  checkpoint::Criu criu(birth);
  cgroup.entered();
  const int version = criu.version();
  checkpoint::require_version(version);
  directories.reopen_in(criu.pid());
  let_root_user_in(directories.images, config);

  auto rpc = checkpoint::common_options(options, config, directories, kRestoreLog);
  rpc.number(checkpoint::kEvasiveDevices, 1);
  rpc.number(checkpoint::kRestoreSibling, 1);
  rpc.bytes(checkpoint::kRoot, root.target);
  if (options.tcp_close) rpc.number(checkpoint::kTcpClose, 1);
  add_lsm(rpc, options, version);
  inheritance.name_in(rpc);
  join_namespaces(rpc, config);
  add_cgroup_roots(rpc, criu.pid());
  add_external_mounts(rpc, config, cgroup, notify_directory(request));
  Restoration restoration(request, clean_up, started);
  const auto response = criu.run(checkpoint::RequestType::restore, rpc,
                                 [&](const checkpoint::Notification& notification, Fd fd) {
                                   restoration.answer(notification, std::move(fd));
                                 });
  if (!response.success)
    throw checkpoint::failure(checkpoint::RequestType::restore, response, directories.log);
  if (!criu.end())
    throw Error("criu failed after the restore").hint("the whole log is " + directories.log);
  if (started.pid == 0) throw Error("criu did not tell of the restored init");
  if (unlinkat(request.directory.fd(), kRootDirectory, AT_REMOVEDIR) != 0)
    throw Error("cannot remove the directory " + quote(kRootDirectory), "rmdir", errno);
  announce(started.pid, started.pidfd.get(), request.options);
  clean_up.cancel();
}

}  // namespace hull::launch
