#pragma once

#include <functional>

#include "libruntime/configs/config.h"
#include "libruntime/plan/plan.h"
#include "libruntime/system/fd.h"

// The container's file system, made by hull-init inside the new mount namespace. The functions are
// called in this order. All throw Error with the field of the config ("/mounts/3").
namespace hull::rootfs {

// The source of a bind mount as a detached mount tree, idmapped when the mount has mappings, with
// the propagation that it would have if it were cloned in the container's mount namespace. For the
// launcher: in a user namespace hull-init may neither reach the source nor map its IDs.
Fd clone_source(const plan::Rootfs& plan, const configs::Mount& mount);

// Gives clone_source() of plan.mounts[index], by whoever may make it.
using AskForSource = std::function<Fd(size_t index)>;

// Host side of the old root still visible: makes "/" private or slave (plan.propagation), attaches
// the root file system as a mount of its own, does every mount in order (with its propagation,
// recursive attributes, copy-up, label), makes the devices and the standard links. The working
// directory is the root fs after. Returns an O_PATH descriptor of the root fs. Asks for the sources
// of idmapped mounts, and in a user namespace for those that its root can't reach.
Fd prepare(const plan::Rootfs& plan, const AskForSource& ask_for_source);

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
