#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <cerrno>
#include <string>

#include "libruntime/rootfs/bind.h"
#include "libruntime/rootfs/mounts.h"
#include "libruntime/rootfs/rootfs.h"
#include "libruntime/rootfs/target.h"
#include "libruntime/system/error.h"
#include "libruntime/system/root_path.h"

namespace hull::rootfs {
namespace {

// Missing paths are no error: a kernel need not have them.
Target open_if_exists(const RootPath& root, const std::string& path) {
  Target out{root.try_open(path, O_PATH), path, false};
  if (!out.fd && errno != ENOENT && errno != ENOTDIR)
    throw Error("cannot open " + quote(path), "openat2", errno);
  return out;
}

void make_path_readonly(const RootPath& root, const std::string& path) {
  const Target target = open_if_exists(root, path);
  if (!target.fd) return;
  // A file system mounted below is as writable as the path itself: all of the tree, or what
  // mount(2) can.
  const Attributes readonly{MOUNT_ATTR_RDONLY, 0};
  BindSource source = open_tree_with(target.fd.get(), readonly);
  const bool complete =
      source.complete || (source.detached && try_set_attributes(source.fd.get(), readonly, true));
  attach(root, target, std::move(source), complete ? Attributes{} : readonly);
}

// Covers paths; what it covers them with is opened when it is needed first.
class Mask {
 public:
  Mask(const RootPath& root, const std::string& label) : root_(root), label_(label) {}

  void cover(const std::string& path) {
    const Target target = open_if_exists(root_, path);
    if (!target.fd) return;
    struct stat info {};
    if (fstat(target.fd.get(), &info) != 0)
      throw Error("cannot look at " + quote(path), "fstat", errno);
    if (S_ISDIR(info.st_mode)) {
      cover_directory(target);
    } else {
      attach(root_, target, open_source(null_device(), "", false), {});
    }
  }

 private:
  // CVE-2025-31133: the image may have put anything at /dev/null.
  int null_device() {
    if (null_) return null_.get();
    Fd fd = root_.try_open("/dev/null", O_PATH | O_NOFOLLOW, RESOLVE_NO_SYMLINKS);
    struct stat info {};
    if (!fd || fstat(fd.get(), &info) != 0)
      throw Error("cannot open the container's /dev/null, which masks files", "openat2", errno);
    if (!S_ISCHR(info.st_mode) || info.st_rdev != makedev(1, 3))
      throw Error("the container's /dev/null is not the null device (char 1:3)");
    null_ = std::move(fd);
    return null_.get();
  }

  // One empty read-only tmpfs for all of them (runc#5006: thousands of containers, one each).
  void cover_directory(const Target& target) {
    if (empty_) {
      attach(root_, target, open_source(empty_.get(), "", false), {});
      return;
    }
    mount_on(target, "tmpfs", "tmpfs", MS_RDONLY, with_label("nr_blocks=1,nr_inodes=1", label_));
    empty_ = reopen(root_, target);
  }

  const RootPath& root_;
  const std::string& label_;
  Fd null_, empty_;
};

template <class Step>
void for_each_path(const std::vector<std::string>& paths, const char* field, Step step) {
  for (size_t i = 0; i < paths.size(); ++i) {
    try {
      step(paths[i]);
    } catch (Error& e) {
      e.set_stage(std::string(field) == "/linux/maskedPaths/"
                      ? "masking " + quote(paths[i])
                      : "making " + quote(paths[i]) + " read-only");
      e.set_field(field + std::to_string(i));
      throw;
    }
  }
}

}  // namespace

void protect_paths(const plan::Rootfs& plan) {
  if (plan.readonly_paths.empty() && plan.mask_paths.empty()) return;
  const FdCloseBatch batch;
  const RootPath root = RootPath::at("/");
  for_each_path(plan.readonly_paths, "/linux/readonlyPaths/",
                [&](const std::string& path) { make_path_readonly(root, path); });
  Mask mask(root, plan.mount_label);
  for_each_path(plan.mask_paths, "/linux/maskedPaths/",
                [&](const std::string& path) { mask.cover(path); });
}

}  // namespace hull::rootfs
