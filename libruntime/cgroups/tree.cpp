#include "libruntime/cgroups/tree.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <memory>

#include "libruntime/cgroups/subdirectories.h"
#include "libruntime/system/error.h"
#include "libruntime/system/files.h"
#include "libruntime/system/text.h"

namespace hull::cgroups {
namespace {

constexpr size_t kMaxList = size_t{64} << 20;

void append_pids(std::string_view text, std::vector<pid_t>& out) {
  for (const std::string_view line : split(text, '\n'))
    if (const auto pid = parse_number<pid_t>(line); pid && *pid > 0) out.push_back(*pid);
}

// The process of a thread; nothing when it is gone.
std::optional<pid_t> process_of(pid_t thread) {
  const auto status = read_file_if_exists("/proc/" + std::to_string(thread) + "/status");
  if (!status) return std::nullopt;
  for (const std::string_view line : split(*status, '\n'))
    if (line.starts_with("Tgid:")) return parse_number<pid_t>(trim(line.substr(5)));
  return std::nullopt;
}

// A threaded cgroup lists no processes (cgroups(7)): EOPNOTSUPP.
void append_threads(const std::string& dir, std::vector<pid_t>& out) {
  std::vector<pid_t> threads;
  append_pids(read_file_if_exists(dir + "/cgroup.threads", kMaxList).value_or(""), threads);
  for (const pid_t thread : threads)
    if (const auto pid = process_of(thread)) out.push_back(*pid);
}

void append_processes(const std::string& dir, std::vector<pid_t>& out) {
  try {
    append_pids(read_file_if_exists(dir + "/cgroup.procs", kMaxList).value_or(""), out);
  } catch (const Error& e) {
    if (e.code() == EOPNOTSUPP) return append_threads(dir, out);
    if (e.code() != ENODEV) throw;  // removed while it was read
  }
}

void append_below(const std::string& dir, std::vector<pid_t>& out) {
  append_processes(dir, out);
  for (const std::string& name : subdirectories(dir)) append_below(dir + "/" + name, out);
}

}  // namespace

std::vector<std::string> subdirectories(const std::string& dir) {
  std::vector<std::string> names;
  struct stat info {};
  // Two links, "." and the name: most cgroups have none below, and listing all files costs more.
  if (stat(dir.c_str(), &info) != 0 || info.st_nlink == 2) return names;
  const std::unique_ptr<DIR, int (*)(DIR*)> list(opendir(dir.c_str()), closedir);
  if (!list) {
    if (errno == ENOENT) return names;
    throw Error("cannot list " + quote(dir), "open", errno);
  }
  for (;;) {
    errno = 0;
    const dirent* entry = readdir(list.get());
    if (entry == nullptr) break;
    const std::string_view name = entry->d_name;
    if (entry->d_type == DT_DIR && name != "." && name != "..") names.emplace_back(name);
  }
  if (errno != 0 && errno != ENOENT) throw Error("cannot list " + quote(dir), "getdents", errno);
  return names;
}

std::vector<pid_t> processes_below(const std::string& dir) {
  std::vector<pid_t> pids;
  append_below(dir, pids);
  std::ranges::sort(pids);
  pids.erase(std::unique(pids.begin(), pids.end()), pids.end());
  return pids;
}

}  // namespace hull::cgroups
