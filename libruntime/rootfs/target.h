#pragma once

#include <string>

#include "libruntime/configs/config.h"
#include "libruntime/system/fd.h"
#include "libruntime/system/root_path.h"

// The place of a mount inside the container.
namespace hull::rootfs {

struct Target {
  Fd fd;             // the file or directory to cover
  std::string path;  // cleaned, absolute
  bool created = false;
};

enum class Kind { directory, file };

// Opens the destination of `mount` and makes it when it is missing. `source_fs` is the file system
// type (statfs(2)) of a bind's source, else 0. Throws Error when it may not be mounted on: proc and
// sysfs want a real directory; nothing but proc covers /proc (CVE-2019-16884), inside it only what
// lxcfs emulates.
Target open_target(const RootPath& root, const configs::Mount& mount, Kind kind, long source_fs);

// The mount that now covers `target`. Throws Error when there is none (something moved the path).
Fd reopen(const RootPath& root, const Target& target);

// Cleaned and absolute: old configurations have relative ones (config.md#mounts: from "/").
std::string absolute_destination(const std::string& destination);

}  // namespace hull::rootfs
