#include "libruntime/rootfs/cgroup_mount.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <string>

#include "libruntime/rootfs/attributes.h"
#include "libruntime/rootfs/bind.h"
#include "libruntime/rootfs/fd_path.h"
#include "libruntime/rootfs/mounts.h"
#include "libruntime/rootfs/target.h"
#include "libruntime/system/error.h"

namespace hull::rootfs {
namespace {

constexpr uint64_t kDefaultFlags = MS_NOSUID | MS_NODEV | MS_NOEXEC;

uint64_t file_system_flags(const configs::Mount& mount) {
  return mount.flags & ~(MS_BIND | MS_REC | kPropagationFlags);
}

// Names below the tmpfs: it is fresh and nobody else's, so that mount(2) may take them as they are.
class Hierarchies {
 public:
  explicit Hierarchies(int top) : top_(top), path_(std::string(FdPath(top)) + "/") {}

  void bind(const std::string& host_path, const std::string& name) {
    make_directory(name);
    mount(host_path, name, nullptr, MS_BIND | MS_REC, nullptr);
  }
  void mount_controller(const configs::CgroupController& controller, uint64_t flags) {
    make_directory(controller.name);
    const std::string source = controller.name == "systemd" ? "systemd" : "cgroup";
    mount(source, controller.name, "cgroup", flags, controller.options.c_str());
  }
  void link(const std::string& target, const std::string& name) {
    if (symlinkat(target.c_str(), top_, name.c_str()) != 0 && errno != EEXIST)
      throw Error("cannot make the link " + quote(name), "symlink", errno);
  }
  // Where the kernel (before 5.12) can't set attributes of a tree.
  void remount(const std::string& name, uint64_t flags) {
    mount("", name, nullptr, MS_REMOUNT | MS_BIND | flags, nullptr);
  }

 private:
  void make_directory(const std::string& name) const {
    if (name.empty() || name == "." || name == ".." || name.find('/') != std::string::npos)
      throw Error("a cgroup hierarchy has the name " + quote(name));
    if (mkdirat(top_, name.c_str(), 0755) != 0)
      throw Error("cannot make the directory " + quote(name), "mkdir", errno);
  }
  void mount(const std::string& source, const std::string& name, const char* type, uint64_t flags,
             const char* data) const {
    if (::mount(source.c_str(), (path_ + name).c_str(), type, flags, data) != 0)
      throw Error("cannot mount the cgroup hierarchy " + quote(name) + " (" + source + ")", "mount",
                  errno);
  }

  int top_;
  std::string path_;
};

void mount_hierarchies(Hierarchies& hierarchies, const plan::CgroupView& view, uint64_t flags) {
  for (const configs::CgroupController& controller : view.controllers) {
    if (view.own_namespace) {
      hierarchies.mount_controller(controller, flags);
    } else {
      hierarchies.bind(controller.host_path, controller.name);
    }
    for (const std::string& name : controller.links) hierarchies.link(controller.name, name);
  }
  if (!view.unified_path.empty()) hierarchies.bind(view.unified_path, "unified");
}

void mount_v1(const RootPath& root, const plan::Rootfs& plan, const configs::Mount& mount) {
  Target target = open_target(root, mount, Kind::directory, 0);
  mount_on(target, "tmpfs", "tmpfs", kDefaultFlags, with_label("mode=755", plan.mount_label));
  target.fd = reopen(root, target);
  const int top = target.fd.get();
  const uint64_t flags = kDefaultFlags | (mount.flags & kMountFlags);
  Hierarchies hierarchies(top);
  mount_hierarchies(hierarchies, plan.cgroup, kDefaultFlags | (flags & MS_RDONLY));
  // One call for the tmpfs and all that is in it. Until then they are writable, but nobody is in
  // this mount namespace yet, and a fresh tmpfs passes nothing on to another.
  Attributes all = attributes_of(flags, mount.clear_flags);
  all.set |= mount.recursive_set;
  all.clear |= mount.recursive_clear;
  if (!try_set_attributes(top, all, true)) {
    if (mount.recursive_set != 0 || mount.recursive_clear != 0)
      throw Error("cannot set recursive attributes", "mount_setattr", errno);
    for (const configs::CgroupController& controller : plan.cgroup.controllers)
      hierarchies.remount(controller.name, flags);
    if (!plan.cgroup.unified_path.empty()) hierarchies.remount("unified", flags);
    set_attributes(top, attributes_of(flags, mount.clear_flags), false);
  }
  for (const uint64_t propagation : mount.propagation) set_propagation(top, propagation);
}

// Where the container has no cgroup2 mount of its own: its cgroup by bind, or, when it has no
// cgroup of its own either, the host's hierarchy, never writable.
void bind_v2(const RootPath& root, const plan::Rootfs& plan, const configs::Mount& mount) {
  configs::Mount bind = mount;
  bind.type = "bind";
  bind.source = plan.cgroup.unified_path;
  bind.data.clear();
  bind.flags |= MS_BIND;
  if (bind.source.empty()) {
    bind.source = "/sys/fs/cgroup";
    bind.flags |= MS_REC | MS_RDONLY;
    bind.recursive_set |= MOUNT_ATTR_RDONLY;
  }
  mount_bind(root, plan, bind, nullptr);
}

void mount_v2(const RootPath& root, const plan::Rootfs& plan, const configs::Mount& mount) {
  if (!plan.cgroup.own_namespace) return bind_v2(root, plan, mount);
  Target target = open_target(root, mount, Kind::directory, 0);
  try {
    mount_on(target, mount.source, "cgroup2", file_system_flags(mount), mount.data);
  } catch (const Error& e) {
    // A user namespace that does not own the cgroup namespace, or a host that has it mounted
    // otherwise.
    if (e.code() != EPERM && e.code() != EBUSY) throw;
    return bind_v2(root, plan, mount);
  }
  const Attributes tree{mount.recursive_set, mount.recursive_clear};
  if (tree.empty() && mount.propagation.empty()) return;
  target.fd = reopen(root, target);
  set_attributes(target.fd.get(), tree, true);
  for (const uint64_t propagation : mount.propagation)
    set_propagation(target.fd.get(), propagation);
}

}  // namespace

void mount_cgroup(const RootPath& root, const plan::Rootfs& plan, const configs::Mount& mount) {
  if (plan.cgroup.v2) {
    mount_v2(root, plan, mount);
  } else {
    mount_v1(root, plan, mount);
  }
}

}  // namespace hull::rootfs
