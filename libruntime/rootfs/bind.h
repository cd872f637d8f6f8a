#pragma once

#include <functional>

#include "libruntime/configs/config.h"
#include "libruntime/plan/plan.h"
#include "libruntime/rootfs/attributes.h"
#include "libruntime/rootfs/target.h"
#include "libruntime/system/fd.h"
#include "libruntime/system/root_path.h"

// Bind mounts. A copy of the source's mount is made aside, gets its attributes, and is attached
// last, so that it is never there without them.
namespace hull::rootfs {

struct BindSource {
  Fd fd;  // the root of a detached mount; where the kernel (before 5.2) or a seccomp profile has no
          // open_tree(2), an O_PATH descriptor
  bool detached = false;
  bool recursive = false;
  bool complete = false;  // has the attributes that were asked for
};

// Of `path` below `dir` (AT_FDCWD for a path of the caller's root), or of `dir` itself when it is
// empty. `nofollow`: a symbolic link itself. Throws Error.
BindSource open_source(int dir, const char* path, bool recursive, bool nofollow = false);

// A copy of the whole tree at `dir` with these attributes, where one call can make it (Linux 6.15);
// else `complete` says that they are missing. Throws Error.
BindSource open_tree_with(int dir, Attributes attributes);

// Attaches it on `target` with attributes for the mount itself and for its whole tree. Returns a
// descriptor of the root of the attached mount. Throws Error.
Fd attach(const RootPath& root, const Target& target, BindSource source, Attributes own,
          Attributes tree = {});

// A mount of the config with MS_BIND. `ask_for_source` gives clone_source() of it, where this
// process can't make it. Throws Error.
void mount_bind(const RootPath& root, const plan::Rootfs& plan, const configs::Mount& mount,
                const std::function<Fd()>& ask_for_source);

}  // namespace hull::rootfs
