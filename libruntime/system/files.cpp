#include "libruntime/system/files.h"

#include <sys/stat.h>

#include <cerrno>
#include <cstdio>

#include "libruntime/system/error.h"

namespace hull {
namespace {

bool is_missing(int code) { return code == ENOENT || code == ENOTDIR || code == ESRCH; }

}  // namespace

Fd open_or_throw(int dir, const std::string& path, int flags, mode_t mode) {
  for (;;) {
    Fd fd(openat(dir, path.c_str(), flags | O_CLOEXEC, mode));
    if (fd) return fd;
    if (errno != EINTR) throw Error("cannot open " + quote(path), "open", errno);
  }
}

std::string read_all(int fd, const std::string& name, size_t max) {
  std::string out;
  size_t room = 4096;
  for (;;) {
    const size_t have = out.size();
    out.resize(have + room);
    const ssize_t got = read(fd, out.data() + have, room);
    if (got < 0 && errno == EINTR) {
      out.resize(have);
      continue;
    }
    if (got < 0) throw Error("cannot read " + quote(name), "read", errno);
    out.resize(have + static_cast<size_t>(got));
    if (got == 0) return out;
    if (out.size() > max)
      throw Error(quote(name) + " is longer than " + std::to_string(max) + " bytes");
    if (static_cast<size_t>(got) == room && room < (size_t{1} << 20)) room *= 4;
  }
}

std::string read_file_at(int dir, const std::string& path, size_t max) {
  const Fd fd = open_or_throw(dir, path, O_RDONLY);
  return read_all(fd.get(), path, max);
}

std::optional<std::string> read_file_if_exists_at(int dir, const std::string& path, size_t max) {
  try {
    return read_file_at(dir, path, max);
  } catch (const Error& e) {
    if (is_missing(e.code())) return std::nullopt;
    throw;
  }
}

std::optional<std::string> read_value_if_exists(const std::string& path) {
  const Fd fd(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd && is_missing(errno)) return std::nullopt;
  if (!fd) throw Error("cannot open " + quote(path), "open", errno);
  char buffer[4096];
  ssize_t got = 0;
  while ((got = read(fd.get(), buffer, sizeof buffer)) < 0) {
    if (is_missing(errno)) return std::nullopt;  // the process went meanwhile
    if (errno != EINTR) throw Error("cannot read " + quote(path), "read", errno);
  }
  if (got == sizeof buffer) throw Error(quote(path) + " is longer than expected");
  return std::string(buffer, static_cast<size_t>(got));
}

void write_existing_at(int dir, const std::string& path, std::string_view content) {
  const Fd fd = open_or_throw(dir, path, O_WRONLY);
  for (;;) {
    const ssize_t wrote = write(fd.get(), content.data(), content.size());
    if (wrote < 0 && errno == EINTR) continue;
    if (wrote < 0)
      throw Error("cannot write " + quote(content) + " to " + quote(path), "write", errno);
    if (static_cast<size_t>(wrote) != content.size())
      throw Error("short write of " + quote(content) + " to " + quote(path));
    return;
  }
}

void write_all(int fd, std::string_view content, const std::string& name) {
  while (!content.empty()) {
    const ssize_t wrote = write(fd, content.data(), content.size());
    if (wrote < 0 && errno == EINTR) continue;
    if (wrote < 0) throw Error("cannot write " + quote(name), "write", errno);
    content.remove_prefix(static_cast<size_t>(wrote));
  }
}

FileDraft::FileDraft(int dir, std::string name, std::string_view content, mode_t mode)
    : dir_(dir), name_(std::move(name)), temporary_("." + name_ + ".tmp") {
  // One left behind by a process that was killed is ours to overwrite: callers hold the lock.
  const Fd fd = open_or_throw(dir, temporary_, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW, mode);
  try {
    write_all(fd.get(), content, name_);
  } catch (...) {
    unlinkat(dir_, temporary_.c_str(), 0);
    throw;
  }
}

FileDraft::~FileDraft() {
  if (!temporary_.empty()) unlinkat(dir_, temporary_.c_str(), 0);
}

void FileDraft::commit() {
  if (renameat(dir_, temporary_.c_str(), dir_, name_.c_str()) != 0)
    throw Error("cannot replace " + quote(name_), "rename", errno);
  temporary_.clear();
}

void replace_file_at(int dir, const std::string& name, std::string_view content, mode_t mode) {
  FileDraft(dir, name, content, mode).commit();
}

void replace_file(const std::string& path, std::string_view content, mode_t mode) {
  const size_t slash = path.rfind('/');
  const std::string dir = slash == std::string::npos ? "." : path.substr(0, slash + 1);
  // Without a name nothing is left of it when we are killed.
  Fd fd(open(dir.c_str(), O_WRONLY | O_TMPFILE | O_CLOEXEC, mode));
  // open(2): not all file systems know it.
  if (!fd && (errno == EOPNOTSUPP || errno == EISDIR || errno == EINVAL)) {
    const Fd parent = open_or_throw(AT_FDCWD, dir, O_PATH | O_DIRECTORY);
    return replace_file_at(parent.get(), path.substr(slash + 1), content, mode);
  }
  if (!fd) throw Error("cannot make a file in " + quote(dir), "open", errno);
  write_all(fd.get(), content, path);
  const std::string self = "/proc/self/fd/" + std::to_string(fd.get());
  const auto name_it = [&] {
    return linkat(AT_FDCWD, self.c_str(), AT_FDCWD, path.c_str(), AT_SYMLINK_FOLLOW) == 0;
  };
  if (name_it()) return;
  if (errno != EEXIST || (unlink(path.c_str()) != 0 && errno != ENOENT) || !name_it())
    throw Error("cannot replace " + quote(path), "linkat", errno);
}

void make_directories(const std::string& path, mode_t mode) {
  if (mkdir(path.c_str(), mode) == 0 || errno == EEXIST) return;
  const size_t slash = path.rfind('/');
  if (errno != ENOENT || slash == std::string::npos || slash == 0)
    throw Error("cannot make directory " + quote(path), "mkdir", errno);
  make_directories(path.substr(0, slash), mode);
  if (mkdir(path.c_str(), mode) != 0 && errno != EEXIST)
    throw Error("cannot make directory " + quote(path), "mkdir", errno);
}

}  // namespace hull
