#pragma once

#include <cstddef>
#include <string>

#include "libruntime/plan/plan.h"
#include "libruntime/rootfs/rootfs.h"
#include "libruntime/rootfs/target.h"
#include "libruntime/system/fd.h"
#include "libruntime/system/root_path.h"

namespace hull::rootfs {

// Does plan.mounts[index]. Throws Error with /mounts/N.
void mount_entry(const RootPath& root, const plan::Rootfs& plan, size_t index,
                 const AskForSource& ask_for_source);

// mount(2) of a file system on `target`. Throws Error.
void mount_on(const Target& target, const std::string& source, const char* type, uint64_t flags,
              const std::string& data);

// Mount data with a SELinux context added: `mode=755,context="LABEL"`.
std::string with_label(const std::string& data, const std::string& label);

// devpts data without "gid=5" where group 5 has no mapping.
std::string without_unmapped_tty_group(const std::string& data, const plan::Rootfs& plan);

// Whether the mount stays writable while the container is set up: mount points and nodes are made
// on it.
bool is_read_only_late(const configs::Mount& mount);

}  // namespace hull::rootfs
