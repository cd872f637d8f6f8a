#include "cmd/hull/legacy_pid.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cmd/hull/legacy_container.h"
#include "libruntime/system/fd.h"
#include "libruntime/system/files.h"
#include "libruntime/system/process_stat.h"
#include "libruntime/system/text.h"

namespace hull::cmd {
namespace {

constexpr size_t kMaxNumber = 32;
constexpr mode_t kMode = 0655;  // nsinit's

// A link or a FIFO that the container put there is no file of ours.
template <class T>
std::optional<T> read_number(const std::string& path) {
  const Fd fd(open(path.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC));
  struct stat info {};
  if (!fd || fstat(fd.get(), &info) != 0 || !S_ISREG(info.st_mode)) return std::nullopt;
  if (info.st_size > static_cast<off_t>(kMaxNumber)) return std::nullopt;
  return parse_number<T>(trim(read_all(fd.get(), path, kMaxNumber)));
}

}  // namespace

std::optional<LegacyPid> read_legacy_pid(const std::string& directory) {
  const auto pid = read_number<pid_t>(directory + "/" + kPidFile);
  const auto start_time = read_number<uint64_t>(directory + "/" + kStartFile);
  if (!pid || *pid <= 0 || !start_time) return std::nullopt;
  return LegacyPid{*pid, *start_time};
}

bool is_alive(const LegacyPid& pid) {
  const auto stat = read_process_stat(pid.pid);
  return stat && stat->start_time == pid.start_time && !stat->dead();
}

void write_legacy_pid(const std::string& directory, const LegacyPid& pid) {
  // The pid last: who sees it finds its start time.
  replace_file(directory + "/" + kStartFile, std::to_string(pid.start_time), kMode);
  replace_file(directory + "/" + kPidFile, std::to_string(pid.pid), kMode);
}

void remove_legacy_pid(const std::string& directory, const LegacyPid& pid) {
  if (read_legacy_pid(directory) != pid) return;
  for (const char* name : {kPidFile, kStartFile}) unlink((directory + "/" + name).c_str());
}

}  // namespace hull::cmd
