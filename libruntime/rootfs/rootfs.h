#pragma once

#include <vector>

#include "libruntime/configs/config.h"
#include "libruntime/plan/plan.h"
#include "libruntime/system/fd.h"

// The container's file system, made by hull-init inside the new mount namespace. The functions are
// called in this order. All throw Error with the field of the config ("/mounts/3").
namespace hull::rootfs {

// The source of a bind mount as a detached mount tree, idmapped when the mount has mappings. For a
// launcher whose container has a user namespace: in it hull-init may neither reach the source nor
// map its IDs.
Fd clone_source(const configs::Mount& mount);

// Host side of the old root still visible: makes "/" private or slave (plan.propagation), attaches
// the root file system as a mount of its own, does every mount in order (with its propagation,
// recursive attributes, copy-up, label), makes the devices and the standard links. The working
// directory is the root fs after. Returns an O_PATH descriptor of the root fs. `sources`, when
// given, holds for each of plan.mounts the mount tree to bind (clone_source), or an empty Fd.
Fd prepare(const plan::Rootfs& plan, std::vector<Fd> sources = {});

// Makes `root` the root of this process: pivot_root(".", ".") and a lazy unmount of the old root,
// or MS_MOVE and chroot with no_pivot; a plain chroot when prepare() was not called, for then there
// is no mount namespace. Nothing of the host's tree is reachable
// after; the working directory is "/".
void enter(const plan::Rootfs& plan, int root);

// The read-only steps that come last: mounts that had to stay writable for the set-up (tmpfs,
// /dev), the root itself when readonly.
void make_readonly(const plan::Rootfs& plan);

// linux.readonlyPaths, then linux.maskedPaths; missing ones are skipped.
void protect_paths(const plan::Rootfs& plan);

// linux.rootfsPropagation of the new root; last, since what is unbindable can't be cloned any more.
void set_root_propagation(const plan::Rootfs& plan);

// Binds the terminal `slave` (a pty of the container's devpts) on /dev/console.
void mount_console(int slave);

}  // namespace hull::rootfs
