#include "libruntime/cgroups/cgroup_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "libruntime/system/error.h"
#include "libruntime/system/fd.h"
#include "libruntime/system/text.h"

namespace hull::cgroups {
namespace {

std::string file_path(const std::string& dir, std::string_view file) {
  std::string path;
  path.reserve(dir.size() + file.size() + 1);
  path.append(dir).append("/").append(file);
  return path;
}

// ENODEV: the cgroup was removed while the file was open.
bool is_gone(int code) { return code == ENOENT || code == ENOTDIR || code == ENODEV; }

}  // namespace

std::optional<std::string> read_value(const std::string& dir, std::string_view file) {
  const std::string path = file_path(dir, file);
  const Fd fd(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd) {
    if (is_gone(errno)) return std::nullopt;
    throw Error("cannot open " + quote(path), "open", errno);
  }
  std::array<char, 4096> buffer;
  ssize_t got = 0;
  do {
    got = read(fd.get(), buffer.data(), buffer.size());
  } while (got < 0 && errno == EINTR);
  if (got < 0) {
    if (is_gone(errno)) return std::nullopt;
    throw Error("cannot read " + quote(path), "read", errno);
  }
  return std::string(trim({buffer.data(), static_cast<size_t>(got)}));
}

std::optional<int64_t> read_number(const std::string& dir, std::string_view file) {
  const auto value = read_value(dir, file);
  return value ? parse_number<int64_t>(*value) : std::nullopt;
}

std::vector<std::string> read_words(const std::string& dir, std::string_view file) {
  std::vector<std::string> words;
  const auto value = read_value(dir, file);
  if (!value) return words;
  for (const std::string_view word : split(*value, ' '))
    if (!word.empty()) words.emplace_back(word);
  return words;
}

bool has_line(std::string_view text, std::string_view line) {
  return std::ranges::count(split(text, '\n'), line) > 0;
}

int try_write(const std::string& dir, std::string_view file, std::string_view value) {
  const Fd fd(open(file_path(dir, file).c_str(), O_WRONLY | O_CLOEXEC));
  if (!fd) return errno;
  for (;;) {
    const ssize_t wrote = write(fd.get(), value.data(), value.size());
    if (wrote < 0 && errno == EINTR) continue;
    if (wrote < 0) return errno;
    return static_cast<size_t>(wrote) == value.size() ? 0 : EIO;
  }
}

void throw_write_error(const std::string& dir, std::string_view file, std::string_view value,
                       std::string_view field, int code) {
  const std::string path = file_path(dir, file);
  if (code == ENOENT && directory_exists(dir))
    throw Error("cannot set " + quote(value) + ": the kernel has no " + quote(path), "open", code)
        .field(field)
        .hint("this limit needs another kernel, kernel option or block device scheduler");
  throw Error("cannot write " + quote(value) + " to " + quote(path), "write", code).field(field);
}

void write_value(const std::string& dir, std::string_view file, std::string_view value,
                 std::string_view field) {
  if (const int code = try_write(dir, file, value))
    throw_write_error(dir, file, value, field, code);
}

bool directory_exists(const std::string& path) {
  struct stat info {};
  return stat(path.c_str(), &info) == 0 && S_ISDIR(info.st_mode);
}

bool is_permission_error(int code) { return code == EACCES || code == EPERM || code == EROFS; }

int Deadline::remaining_ms() const {
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(end_ - Clock::now()).count();
  return left > 0 ? static_cast<int>(left) : 0;
}

}  // namespace hull::cgroups
