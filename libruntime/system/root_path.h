#pragma once

#include <fcntl.h>
#include <sys/types.h>

#include <cstdint>
#include <string>
#include <string_view>

#include "libruntime/system/fd.h"
#include "libruntime/system/syscalls.h"

namespace hull {

// A directory that nobody leaves: every path is resolved as if this directory were "/", so symbolic
// links and ".." of an untrusted tree can't lead out, also while someone changes the tree.
// openat2(2) with RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS; where a kernel before 5.6 or a seccomp
// profile lacks it, a walk component by component that never lets the kernel follow a link or "..".
class RootPath {
 public:
  // `root` is a descriptor of the directory, O_PATH will do.
  explicit RootPath(Fd root) noexcept : root_(std::move(root)) {}
  // A directory of the caller's own root, resolved as usual. Throws Error.
  static RootPath at(const std::string& trusted_path);

  [[nodiscard]] int fd() const noexcept { return root_.get(); }
  [[nodiscard]] Fd release() noexcept { return std::move(root_); }

  // Opens what is there; O_CLOEXEC is added. `resolve` takes RESOLVE_NO_SYMLINKS and
  // RESOLVE_NO_XDEV (the walk tells mounts apart by st_dev only). Throws Error.
  [[nodiscard]] Fd open(std::string_view path, int flags, uint64_t resolve = 0) const;
  // The same; an empty Fd and errno when it can't be opened.
  [[nodiscard]] Fd try_open(std::string_view path, int flags, uint64_t resolve = 0) const;

  // mkdir -p: makes the missing directories with `mode` (less the umask). A link that leads to
  // nothing is followed, what it names is made below this root. Returns an O_PATH descriptor.
  // Throws Error.
  Fd mkdir_all(std::string_view path, mode_t mode, uint64_t resolve = 0) const;
  // Makes an empty file that was not there (O_CREAT | O_EXCL | O_NOFOLLOW), and its directories
  // with mode 0755. Follows links as mkdir_all does. Returns an O_RDONLY descriptor. Throws Error.
  Fd create_file(std::string_view path, mode_t mode, uint64_t resolve = 0) const;

  // The path of an open descriptor below this root ("/dev/pts"), as the kernel sees it now. Throws
  // Error when it lies outside. Needs the caller's own /proc.
  [[nodiscard]] std::string path_of(int fd) const;

 private:
  Fd root_;
};

}  // namespace hull
