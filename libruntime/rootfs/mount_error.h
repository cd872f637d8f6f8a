#pragma once

#include <fcntl.h>

#include <cstdint>
#include <string>

#include "libruntime/configs/config.h"
#include "libruntime/system/error.h"

namespace hull::rootfs {

enum class FileKind { missing, directory, file, unknown };

// Of what fstatat(2) gives for `path` below `dir`; an empty path is `dir` itself.
FileKind kind_of(const char* path, int dir = AT_FDCWD);

// What is known about a mount that failed.
struct MountFacts {
  FileKind source = FileKind::unknown;       // of a bind mount
  FileKind destination = FileKind::unknown;  // inside the container
  bool user_namespace = false;
};

// The error of one mount, explained: source, destination, type and options always, and what the
// user can do where errno and the facts tell. `field` is "/mounts/3".
Error explain_mount(const configs::Mount& mount, const std::string& field, const Error& cause,
                    const MountFacts& facts);

// "bind,ro,nosuid" for MS_* flags.
std::string flag_names(uint64_t flags);

}  // namespace hull::rootfs
