#pragma once

#include <optional>
#include <set>
#include <string>
#include <vector>

#include "libruntime/cgroups/manager.h"

namespace hull::cgroups {

// The directories that a create makes; those that this object made go with it, unless kept.
class NewDirectories {
 public:
  NewDirectories() = default;
  NewDirectories(const NewDirectories&) = delete;
  NewDirectories& operator=(const NewDirectories&) = delete;
  ~NewDirectories();

  // mkdir, with parents where they are missing. 0, EEXIST when it was there before, or another
  // errno.
  int make(const std::string& path);
  // Whether this object made it.
  [[nodiscard]] bool made(const std::string& path) const;
  void keep() { made_.clear(); }

 private:
  std::vector<std::string> made_;
};

// Throws Error unless `path` is absolute and without "..", "." and "//". Paths come from
// state.json.
void require_clean(const std::string& path);

// The mounts of the host's cgroups, read when they are needed first: most commands on a container
// that is known from state.json don't.
class Mounts {
 public:
  Mounts() = default;
  explicit Mounts(Layout layout) : layout_(std::move(layout)) {}
  [[nodiscard]] const Layout& layout() const;
  // Throws Error unless `path` is strictly inside of a hierarchy.
  void require_inside(const std::string& path) const;

 private:
  mutable std::optional<Layout> layout_;
};

// Removes the directories and all below. One rmdir(2) each when nothing is in the way; looks at the
// mounts only before it does more than that, or when a path is not plainly one of a cgroup. Throws
// Error.
void remove_all(const std::set<std::string>& dirs, const Mounts& mounts);

// Throws Error when the cgroup, which was there before the container, holds a process.
void require_empty(const std::string& dir);
[[noreturn]] void throw_frozen(const std::string& dir);
// The Error of a mkdir that failed.
[[noreturn]] void throw_make_error(const std::string& dir, int code);

// Whether a failure to set device rules may pass: an unprivileged caller can neither set them nor
// make device nodes that they would forbid.
bool may_lack_devices(bool rootless, int code);

}  // namespace hull::cgroups
