#pragma once

#include <string>

#include "libruntime/system/root_path.h"

namespace hull::rootfs {

// "copy-symlink": when `source` on the host is a symbolic link, makes one like it at `destination`,
// with the directories that it needs. False when it is none. Throws Error when something else is at
// `destination`.
bool copy_link(const RootPath& root, const std::string& source, const std::string& destination);

}  // namespace hull::rootfs
