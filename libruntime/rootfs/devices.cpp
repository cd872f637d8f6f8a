#include "libruntime/rootfs/devices.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <cerrno>
#include <string>
#include <string_view>

#include "libruntime/rootfs/bind.h"
#include "libruntime/rootfs/target.h"
#include "libruntime/system/error.h"
#include "libruntime/system/text.h"

namespace hull::rootfs {
namespace {

struct Link {
  const char* target;
  const char* name;
};

constexpr Link kLinks[] = {
    {"/proc/self/fd", "fd"},
    {"/proc/self/fd/0", "stdin"},
    {"/proc/self/fd/1", "stdout"},
    {"/proc/self/fd/2", "stderr"},
};

bool host_provides_dev(const plan::Rootfs& plan) {
  for (const configs::Mount& mount : plan.mounts)
    if ((mount.flags & MS_BIND) != 0 && absolute_destination(mount.destination) == "/dev")
      return true;
  return false;
}

// An image whose /dev is a symbolic link gets no devices through it (CVE-2026-41579): a link can
// lead into a directory of the host that is mounted elsewhere in the container. Other directories
// may be reached by links (/lib).
Fd open_directory(const RootPath& root, const std::string& path) {
  const uint64_t resolve = path_is_below(path, "/dev") ? RESOLVE_NO_SYMLINKS : 0;
  Fd fd = root.try_open(path, O_PATH | O_DIRECTORY, resolve);
  if (!fd && errno == ENOENT) fd = root.mkdir_all(path, 0755, resolve);
  if (!fd) {
    const int code = errno;
    throw Error("cannot open directory " + quote(path) + " in the root file system", "openat2",
                code)
        .hint(code == ELOOP ? "symbolic links are not followed below /dev" : "");
  }
  return fd;
}

mode_t type_of(const configs::Device& device) {
  switch (device.type) {
    case 'b':
      return S_IFBLK;
    case 'p':
      return S_IFIFO;
    case 'c':
    case 'u':
      return S_IFCHR;
    default:
      break;
  }
  throw Error("device " + quote(device.path) + " has the unknown type '" + device.type + "'");
}

dev_t number_of(const configs::Device& device) {
  if (device.type == 'p') return 0;
  return makedev(static_cast<unsigned>(device.major), static_cast<unsigned>(device.minor));
}

bool is_device(const struct stat& info, const configs::Device& device) {
  if ((info.st_mode & S_IFMT) != type_of(device)) return false;
  return device.type == 'p' || info.st_rdev == number_of(device);
}

std::string describe(const configs::Device& device) {
  std::string out = quote(device.path) + " (" + device.type;
  if (device.type != 'p')
    out += ' ' + std::to_string(device.major) + ':' + std::to_string(device.minor);
  return out + ')';
}

// One device in its directory.
class Node {
 public:
  Node(const RootPath& root, int directory, std::string name, const configs::Device& device)
      : root_(root), directory_(directory), name_(std::move(name)), device_(device) {}

  void make(bool bind) {
    // A FIFO is no device: any user namespace may make one.
    if (bind && device_.type != 'p') return bind_from_host();
    const mode_t mode = type_of(device_) | (device_.file_mode & 07777);
    if (mknodat(directory_, name_.c_str(), mode, number_of(device_)) == 0) return set_owner();
    if (errno == EEXIST) return verify_existing();
    // A user namespace that nobody told us of, as runc has it.
    if (errno == EPERM) return bind_from_host();
    fail("cannot make device ", "mknodat");
  }

 private:
  [[noreturn]] void fail(const char* what, const char* call) const {
    throw Error(what + describe(device_), call, errno);
  }

  [[nodiscard]] Fd open_node(struct stat& info) const {
    Fd fd(openat(directory_, name_.c_str(), O_PATH | O_NOFOLLOW | O_CLOEXEC));
    if (!fd || fstat(fd.get(), &info) != 0) fail("cannot look at device ", "openat");
    return fd;
  }

  // config-linux.md#devices: another file at the path is an error.
  [[noreturn]] void refuse_other() const {
    throw Error("a file that is not the requested device exists at " + describe(device_));
  }

  void verify_existing() const {
    struct stat info {};
    const Fd fd = open_node(info);
    if (!is_device(info, device_)) refuse_other();
  }

  // By descriptor, after a look: the directory may be shared with another container.
  void set_owner() const {
    if (device_.uid == 0 && device_.gid == 0) return;
    struct stat info {};
    const Fd fd = open_node(info);
    if (!is_device(info, device_)) refuse_other();
    if (fchownat(fd.get(), "", device_.uid, device_.gid, AT_EMPTY_PATH) != 0)
      fail("cannot set the owner of device ", "fchownat");
  }

  void bind_from_host() {
    BindSource source = open_source(AT_FDCWD, device_.path.c_str(), false);
    struct stat info {};
    if (fstat(source.fd.get(), &info) != 0) fail("cannot look at the host's device ", "fstat");
    if (!is_device(info, device_))
      throw Error("the host's file is not the device " + describe(device_))
          .hint("in a user namespace a device must have the host's path and numbers");
    Target target{Fd(), device_.path, false};
    target.fd.reset(openat(directory_, name_.c_str(),
                           O_RDONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0666));
    if (!target.fd) {
      if (errno != EEXIST) fail("cannot make the mount point of device ", "openat");
      target.fd = open_node(info);
      if (is_device(info, device_)) return;
      // An empty file is the mount point that an earlier container left.
      if (!S_ISREG(info.st_mode) || info.st_size != 0) refuse_other();
    }
    target.path = root_.path_of(target.fd.get());
    attach(root_, target, std::move(source), {});
  }

  const RootPath& root_;
  int directory_;
  std::string name_;
  const configs::Device& device_;
};

// What is there already stays, as runc has it; only ptmx must be right, or no terminal can be made.
void make_link(int dev, const Link& link) {
  if (symlinkat(link.target, dev, link.name) == 0 || errno == EEXIST) return;
  throw Error("cannot make the link /dev/" + std::string(link.name), "symlinkat", errno);
}

// runtime-linux.md: /dev/ptmx is the container's own multiplexer.
void link_ptmx(int dev) {
  constexpr Link kPtmx{"pts/ptmx", "ptmx"};
  if (symlinkat(kPtmx.target, dev, kPtmx.name) == 0) return;
  if (errno == EEXIST) {
    char now[16];
    const ssize_t length = readlinkat(dev, kPtmx.name, now, sizeof now);
    if (length >= 0 && std::string_view(now, static_cast<size_t>(length)) == kPtmx.target) return;
    if (unlinkat(dev, kPtmx.name, 0) != 0)
      throw Error("cannot replace /dev/ptmx", "unlinkat", errno);
    if (symlinkat(kPtmx.target, dev, kPtmx.name) == 0) return;
  }
  throw Error("cannot make the link /dev/ptmx", "symlinkat", errno);
}

void make_node(const RootPath& root, int dev, const configs::Device& device, bool bind) {
  const std::string path = absolute_destination(device.path);
  if (path == "/") throw Error("a device can't replace the root directory");
  const size_t slash = path.rfind('/');
  const std::string parent = slash == 0 ? "/" : path.substr(0, slash);
  Fd other;
  if (parent != "/dev") other = open_directory(root, parent);
  Node(root, other ? other.get() : dev, path.substr(slash + 1), device).make(bind);
}

}  // namespace

void make_devices(const RootPath& root, const plan::Rootfs& plan) {
  if (host_provides_dev(plan)) return;
  const Fd dev = open_directory(root, "/dev");
  for (const configs::Device& device : plan.devices) {
    // The container's own multiplexer, which link_ptmx makes, whatever the config says of the
    // host's.
    if (absolute_destination(device.path) == "/dev/ptmx") continue;
    try {
      make_node(root, dev.get(), device, plan.bind_devices);
    } catch (Error& e) {
      e.set_stage("creating device node " + quote(device.path));
      e.set_field("/linux/devices");
      throw;
    }
  }
  for (const Link& link : kLinks) make_link(dev.get(), link);
  // proc_kcore(5) depends on the kernel's configuration.
  if (faccessat(AT_FDCWD, "/proc/kcore", F_OK, 0) == 0)
    make_link(dev.get(), {"/proc/kcore", "core"});
  link_ptmx(dev.get());
}

}  // namespace hull::rootfs
