#include <fcntl.h>
#include <linux/magic.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <optional>
#include <string>
#include <string_view>

#include "libruntime/rootfs/bind.h"
#include "libruntime/rootfs/mounts.h"
#include "libruntime/rootfs/rootfs.h"
#include "libruntime/rootfs/target.h"
#include "libruntime/system/error.h"
#include "libruntime/system/root_path.h"
#include "libruntime/system/text.h"

namespace hull::rootfs {
namespace {

struct KernelTree {
  std::string_view path;
  std::string_view type;
  long magic;
};
constexpr KernelTree kKernelTrees[] = {{"/proc", "proc", PROC_SUPER_MAGIC},
                                       {"/sys", "sysfs", SYSFS_MAGIC}};

// Looks up what is to be protected. In a root file system that another container can change,
// "/proc" may be something else than what was mounted on it (CVE-2019-19921), and all that is
// missing in it would go unprotected: what lies in the kernel's trees is looked up from their
// verified roots.
class Lookup {
 public:
  Lookup(const RootPath& root, const plan::Rootfs& plan) : root_(root), plan_(plan) {}

  // Missing paths are no error: a kernel need not have them.
  Target open(const std::string& path) {
    const std::string clean = absolute_destination(path);
    Target out{find(clean), path, false};
    if (!out.fd && errno != ENOENT && errno != ENOTDIR)
      throw Error("cannot open " + quote(path), "openat2", errno);
    return out;
  }

 private:
  Fd find(const std::string& path) {
    for (size_t i = 0; i < std::size(kKernelTrees); ++i) {
      const KernelTree& tree = kKernelTrees[i];
      if (path_is_below(path, tree.path) && path != tree.path && is_mounted(tree))
        return root_of(i).try_open(std::string_view(path).substr(tree.path.size()), O_PATH);
    }
    return root_.try_open(path, O_PATH);
  }

  [[nodiscard]] bool is_mounted(const KernelTree& tree) const {
    return std::ranges::any_of(plan_.mounts, [&](const configs::Mount& mount) {
      return mount.type == tree.type && absolute_destination(mount.destination) == tree.path;
    });
  }

  const RootPath& root_of(size_t index) {
    auto& known = trees_[index];
    if (known) return *known;
    const KernelTree& tree = kKernelTrees[index];
    Fd fd = root_.open(tree.path, O_PATH | O_DIRECTORY, RESOLVE_NO_SYMLINKS);
    struct statfs info {};
    if (fstatfs(fd.get(), &info) != 0) throw Error("cannot look at it", "fstatfs", errno);
    if (static_cast<long>(info.f_type) != tree.magic)
      throw Error(quote(tree.path) + " was changed while it was mounted on");
    return known.emplace(std::move(fd));
  }

  const RootPath& root_;
  const plan::Rootfs& plan_;
  std::array<std::optional<RootPath>, std::size(kKernelTrees)> trees_;
};

void make_path_readonly(const RootPath& root, const Target& target) {
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

  void cover(const Target& target) {
    if (!target.fd) return;
    struct stat info {};
    if (fstat(target.fd.get(), &info) != 0)
      throw Error("cannot look at " + quote(target.path), "fstat", errno);
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
  Lookup lookup(root, plan);
  for_each_path(plan.readonly_paths, "/linux/readonlyPaths/",
                [&](const std::string& path) { make_path_readonly(root, lookup.open(path)); });
  Mask mask(root, plan.mount_label);
  for_each_path(plan.mask_paths, "/linux/maskedPaths/",
                [&](const std::string& path) { mask.cover(lookup.open(path)); });
}

}  // namespace hull::rootfs
