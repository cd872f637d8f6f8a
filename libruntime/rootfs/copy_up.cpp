#include "libruntime/rootfs/copy_up.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <climits>
#include <memory>
#include <string>

#include "libruntime/system/error.h"
#include "libruntime/system/fd.h"
#include "libruntime/system/xattr.h"

namespace hull::rootfs {
namespace {

// Each level holds three descriptors, and a hostile image may be deep.
constexpr int kMaxDepth = 200;

[[noreturn]] void fail(const char* name, const char* call) {
  throw Error("tmpcopyup: cannot copy " + quote(name), call, errno);
}

struct CloseDir {
  void operator()(DIR* dir) const noexcept { closedir(dir); }
};
using Directory = std::unique_ptr<DIR, CloseDir>;

// tmpfs keeps security.* and trusted.*; user.* only since Linux 6.6.
void set_if_allowed(int fd, const std::string& attribute, const std::string& value) {
  try {
    xattr::set(fd, attribute, value);
  } catch (const Error& e) {
    if (e.code() != EOPNOTSUPP && e.code() != EPERM) throw;
  }
}

void copy_attributes(int from, int to, const char* name) {
  try {
    for (const std::string& attribute : xattr::list(from))
      if (const auto value = xattr::get(from, attribute)) set_if_allowed(to, attribute, *value);
  } catch (Error& e) {
    e.set_stage("tmpcopyup: copying " + quote(name));
    throw;
  }
}

// Owner before mode and capabilities: chown(2) clears set-id bits and security.capability.
void copy_metadata(int from, int to, const struct stat& info, const char* name) {
  if (fchown(to, info.st_uid, info.st_gid) != 0) fail(name, "fchown");
  if (fchmod(to, info.st_mode & 07777) != 0) fail(name, "fchmod");
  copy_attributes(from, to, name);
  const timespec times[] = {info.st_atim, info.st_mtim};
  if (futimens(to, times) != 0) fail(name, "futimens");
}

void copy_content(int from, int to, const char* name) {
  for (;;) {
    const ssize_t sent = sendfile(to, from, nullptr, size_t{1} << 24);
    if (sent == 0) return;
    if (sent < 0 && errno != EINTR) fail(name, "sendfile");
  }
}

void copy_file(int from_dir, int to_dir, const char* name) {
  // O_NONBLOCK: it might have become a FIFO.
  const Fd from(openat(from_dir, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
  if (!from) fail(name, "open");
  struct stat info {};
  if (fstat(from.get(), &info) != 0) fail(name, "fstat");
  if (!S_ISREG(info.st_mode))
    throw Error("tmpcopyup: " + quote(name) + " was changed while it was copied");
  const Fd to(openat(to_dir, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
  if (!to) fail(name, "open");
  copy_content(from.get(), to.get(), name);
  copy_metadata(from.get(), to.get(), info, name);
}

// Links, nodes, FIFOs and sockets: all they are is their inode.
void copy_special(int from_dir, int to_dir, const char* name, const struct stat& info) {
  if (S_ISLNK(info.st_mode)) {
    std::string target(PATH_MAX, '\0');
    const ssize_t length = readlinkat(from_dir, name, target.data(), target.size());
    if (length < 0) fail(name, "readlink");
    target.resize(static_cast<size_t>(length));
    if (symlinkat(target.c_str(), to_dir, name) != 0) fail(name, "symlink");
  } else {
    if (mknodat(to_dir, name, info.st_mode & S_IFMT, info.st_rdev) != 0) fail(name, "mknod");
    if (fchmodat(to_dir, name, info.st_mode & 07777, 0) != 0) fail(name, "chmod");
  }
  if (fchownat(to_dir, name, info.st_uid, info.st_gid, AT_SYMLINK_NOFOLLOW) != 0)
    fail(name, "chown");
  const timespec times[] = {info.st_atim, info.st_mtim};
  if (utimensat(to_dir, name, times, AT_SYMLINK_NOFOLLOW) != 0) fail(name, "utimensat");
}

void copy_directory(int from, int to, int depth);

void copy_entry(int from_dir, int to_dir, const char* name, int depth) {
  struct stat info {};
  if (fstatat(from_dir, name, &info, AT_SYMLINK_NOFOLLOW) != 0) fail(name, "stat");
  if (S_ISREG(info.st_mode)) return copy_file(from_dir, to_dir, name);
  if (!S_ISDIR(info.st_mode)) return copy_special(from_dir, to_dir, name, info);
  const Fd from(openat(from_dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  if (!from) fail(name, "open");
  if (mkdirat(to_dir, name, 0700) != 0) fail(name, "mkdir");
  const Fd to(openat(to_dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  if (!to) fail(name, "open");
  copy_directory(from.get(), to.get(), depth + 1);
  copy_metadata(from.get(), to.get(), info, name);
}

void copy_directory(int from, int to, int depth) {
  if (depth > kMaxDepth) {
    errno = ELOOP;
    fail("a directory this deep", "open");
  }
  Fd listing(openat(from, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!listing) fail(".", "open");
  const Directory directory(fdopendir(listing.get()));
  if (!directory) fail(".", "fdopendir");
  static_cast<void>(listing.release());  // belongs to `directory` now
  for (;;) {
    errno = 0;
    const dirent* entry = readdir(directory.get());
    if (entry == nullptr) break;
    const std::string name = entry->d_name;
    if (name != "." && name != "..") copy_entry(from, to, name.c_str(), depth);
  }
  if (errno != 0) fail(".", "readdir");
}

}  // namespace

void copy_up(int from, int to) { copy_directory(from, to, 0); }

}  // namespace hull::rootfs
