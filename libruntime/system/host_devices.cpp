#include "libruntime/system/host_devices.h"

#include <dirent.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <memory>
#include <optional>
#include <string_view>

#include "libruntime/system/error.h"

namespace hull {
namespace {

constexpr std::array<std::string_view, 7> kForeign{"pts",  "shm",         "fd",   "mqueue",
                                                   ".lxc", ".lxd-mounts", ".udev"};

std::optional<char> type_of(mode_t mode) {
  if (S_ISCHR(mode)) return 'c';
  if (S_ISBLK(mode)) return 'b';
  if (S_ISFIFO(mode)) return 'p';
  return std::nullopt;
}

DeviceNode node_of(const std::string& path, char type, const struct stat& info) {
  const bool numbered = type != 'p';
  return {path,
          type,
          numbered ? major(info.st_rdev) : 0,
          numbered ? minor(info.st_rdev) : 0,
          info.st_mode & 07777,
          info.st_uid,
          info.st_gid};
}

void collect(const std::string& directory, std::vector<DeviceNode>& out) {
  const std::unique_ptr<DIR, int (*)(DIR*)> dir(opendir(directory.c_str()), closedir);
  if (!dir) throw Error("cannot read directory " + quote(directory), "opendir", errno);
  while (const dirent* entry = readdir(dir.get())) {
    const std::string_view name = entry->d_name;
    if (name == "." || name == "..") continue;
    const std::string path = directory + "/" + std::string(name);
    struct stat info {};
    // A node may go while we look.
    if (lstat(path.c_str(), &info) != 0) continue;
    if (S_ISDIR(info.st_mode)) {
      if (std::find(kForeign.begin(), kForeign.end(), name) == kForeign.end()) collect(path, out);
    } else if (const auto type = type_of(info.st_mode); type && name != "console") {
      out.push_back(node_of(path, *type, info));
    }
  }
}

}  // namespace

DeviceNode device_of(const std::string& path) {
  struct stat info {};
  if (lstat(path.c_str(), &info) != 0) throw Error("cannot look at " + quote(path), "lstat", errno);
  const auto type = type_of(info.st_mode);
  if (!type) throw Error(quote(path) + " is not a device node");
  return node_of(path, *type, info);
}

std::vector<DeviceNode> devices_below(const std::string& directory) {
  std::vector<DeviceNode> out;
  collect(directory, out);
  std::sort(out.begin(), out.end(),
            [](const DeviceNode& a, const DeviceNode& b) { return a.path < b.path; });
  return out;
}

}  // namespace hull
