#include "libruntime/cgroups/delegate.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>

#include "libruntime/system/error.h"
#include "libruntime/system/files.h"
#include "libruntime/system/text.h"

namespace hull::cgroups {
namespace {

// config-linux.md#cgroup-ownership: what the runtime MUST fall back to.
constexpr std::string_view kFallback = "cgroup.procs\ncgroup.subtree_control\ncgroup.threads\n";

void give(int dir, const std::string& name, const std::string& path, uid_t uid) {
  const auto keep_group = static_cast<gid_t>(-1);
  if (fchownat(dir, name.c_str(), uid, keep_group, AT_SYMLINK_NOFOLLOW) == 0) return;
  if (errno == ENOENT) return;
  throw Error("cannot give " + quote(path + "/" + name) + " to user " + std::to_string(uid),
              "fchownat", errno);
}

}  // namespace

void delegate_cgroup(const std::string& dir, uid_t uid, const std::string& list) {
  const std::string names = read_file_if_exists(list).value_or(std::string(kFallback));
  const Fd fd = open_or_throw(AT_FDCWD, dir, O_RDONLY | O_DIRECTORY);
  give(fd.get(), ".", dir, uid);
  for (const std::string_view name : split(names, '\n'))
    if (!name.empty()) give(fd.get(), std::string(name), dir, uid);
}

}  // namespace hull::cgroups
