#pragma once

#include <fcntl.h>
#include <sys/types.h>

#include <optional>
#include <string>
#include <string_view>

#include "libruntime/system/fd.h"

namespace hull {

inline constexpr size_t kMaxFileSize = size_t{16} << 20;

// Whole content of a file below `dir` (AT_FDCWD for a plain path). Throws Error when it can't be
// opened or read, or is longer than `max` bytes.
std::string read_file_at(int dir, const std::string& path, size_t max = kMaxFileSize);
inline std::string read_file(const std::string& path, size_t max = kMaxFileSize) {
  return read_file_at(AT_FDCWD, path, max);
}
// A file of /proc or a cgroup that the kernel gives whole in one read(2), up to 4095 bytes. Nothing
// when it does not exist. Throws Error, also when it is longer.
std::optional<std::string> read_value_if_exists(const std::string& path);
// The same as read_file_at, nothing when the file does not exist (ENOENT, ENOTDIR; ESRCH for a
// process that is gone).
std::optional<std::string> read_file_if_exists_at(int dir, const std::string& path,
                                                  size_t max = kMaxFileSize);
inline std::optional<std::string> read_file_if_exists(const std::string& path,
                                                      size_t max = kMaxFileSize) {
  return read_file_if_exists_at(AT_FDCWD, path, max);
}
// The rest of what an open descriptor gives, up to `max` bytes.
std::string read_all(int fd, const std::string& name, size_t max = kMaxFileSize);

// Writes to an existing file in one write(2), as kernel interfaces ask. A short write is an error.
void write_existing_at(int dir, const std::string& path, std::string_view content);
inline void write_existing(const std::string& path, std::string_view content) {
  write_existing_at(AT_FDCWD, path, content);
}
// All of `content`, also when the kernel takes it in pieces.
void write_all(int fd, std::string_view content, const std::string& name);

// The next content of a file, in a temporary one beside it that goes with this object. commit() is
// the rename(2) that puts it in place: the disk being full is no longer a reason to fail.
class FileDraft {
 public:
  FileDraft(int dir, std::string name, std::string_view content, mode_t mode);
  ~FileDraft();
  FileDraft(const FileDraft&) = delete;
  FileDraft& operator=(const FileDraft&) = delete;
  void commit();

 private:
  int dir_;
  std::string name_;
  std::string temporary_;
};

// Replaces `name` in directory `dir` at once: readers see the old or the new content, never a half.
void replace_file_at(int dir, const std::string& name, std::string_view content, mode_t mode);
// The same for a plain path.
void replace_file(const std::string& path, std::string_view content, mode_t mode);

// Opens with O_CLOEXEC or throws Error.
Fd open_or_throw(int dir, const std::string& path, int flags, mode_t mode = 0);

// mkdir -p on trusted (host) paths only.
void make_directories(const std::string& path, mode_t mode);

}  // namespace hull
