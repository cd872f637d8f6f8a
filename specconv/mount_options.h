#pragma once

#include <linux/mount.h>

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "libruntime/configs/config.h"
#include "libruntime/system/syscalls.h"
#include "specconv/spec.h"

// The mount options of config.md#linux-mount-options and three of crun's: one table for parsing and
// for `features`.
namespace hull::specconv {

enum class OptionKind : uint8_t {
  set,            // a flag of mount(2)
  clear,          // its opposite
  propagation,    // a propagation change of its own
  recursive_set,  // MOUNT_ATTR_* of mount_setattr(2), for the whole tree
  recursive_clear,
  atime,  // the same for the access time modes, of which one holds
  no_atime,
  copy_up,    // tmpfs that starts with what it hides
  id_map,     // mount_id_mapping.h
  bind_flag,  // of MountOption::member, for bind mounts
};

struct MountOption {
  std::string_view name;
  OptionKind kind;
  uint64_t flags;
  bool configs::Mount::*member = nullptr;
};

// Sorted by name.
inline constexpr std::array kMountOptions{
    MountOption{"async", OptionKind::clear, MS_SYNCHRONOUS},
    MountOption{"atime", OptionKind::clear, MS_NOATIME},
    MountOption{"bind", OptionKind::set, MS_BIND},
    MountOption{"copy-symlink", OptionKind::bind_flag, 0, &configs::Mount::copy_symlink},
    MountOption{"defaults", OptionKind::set, 0},
    MountOption{"dest-nofollow", OptionKind::bind_flag, 0, &configs::Mount::destination_nofollow},
    MountOption{"dev", OptionKind::clear, MS_NODEV},
    MountOption{"diratime", OptionKind::clear, MS_NODIRATIME},
    MountOption{"dirsync", OptionKind::set, MS_DIRSYNC},
    MountOption{"exec", OptionKind::clear, MS_NOEXEC},
    MountOption{"idmap", OptionKind::id_map, 0},
    MountOption{"iversion", OptionKind::set, MS_I_VERSION},
    MountOption{"lazytime", OptionKind::set, MS_LAZYTIME},
    MountOption{"loud", OptionKind::clear, MS_SILENT},
    MountOption{"mand", OptionKind::set, MS_MANDLOCK},
    MountOption{"noatime", OptionKind::set, MS_NOATIME},
    MountOption{"nodev", OptionKind::set, MS_NODEV},
    MountOption{"nodiratime", OptionKind::set, MS_NODIRATIME},
    MountOption{"noexec", OptionKind::set, MS_NOEXEC},
    MountOption{"noiversion", OptionKind::clear, MS_I_VERSION},
    MountOption{"nolazytime", OptionKind::clear, MS_LAZYTIME},
    MountOption{"nomand", OptionKind::clear, MS_MANDLOCK},
    MountOption{"norelatime", OptionKind::clear, MS_RELATIME},
    MountOption{"nostrictatime", OptionKind::clear, MS_STRICTATIME},
    MountOption{"nosuid", OptionKind::set, MS_NOSUID},
    MountOption{"nosymfollow", OptionKind::set, MS_NOSYMFOLLOW},
    MountOption{"private", OptionKind::propagation, MS_PRIVATE},
    MountOption{"ratime", OptionKind::no_atime, MOUNT_ATTR_NOATIME},
    MountOption{"rbind", OptionKind::set, MS_BIND | MS_REC},
    MountOption{"rdev", OptionKind::recursive_clear, MOUNT_ATTR_NODEV},
    MountOption{"rdiratime", OptionKind::recursive_clear, MOUNT_ATTR_NODIRATIME},
    MountOption{"relatime", OptionKind::set, MS_RELATIME},
    MountOption{"remount", OptionKind::set, MS_REMOUNT},
    MountOption{"rexec", OptionKind::recursive_clear, MOUNT_ATTR_NOEXEC},
    MountOption{"ridmap", OptionKind::id_map, 0},
    MountOption{"rnoatime", OptionKind::atime, MOUNT_ATTR_NOATIME},
    MountOption{"rnodev", OptionKind::recursive_set, MOUNT_ATTR_NODEV},
    MountOption{"rnodiratime", OptionKind::recursive_set, MOUNT_ATTR_NODIRATIME},
    MountOption{"rnoexec", OptionKind::recursive_set, MOUNT_ATTR_NOEXEC},
    MountOption{"rnorelatime", OptionKind::no_atime, MOUNT_ATTR_RELATIME},
    MountOption{"rnostrictatime", OptionKind::no_atime, MOUNT_ATTR_STRICTATIME},
    MountOption{"rnosuid", OptionKind::recursive_set, MOUNT_ATTR_NOSUID},
    MountOption{"rnosymfollow", OptionKind::recursive_set, MOUNT_ATTR_NOSYMFOLLOW},
    MountOption{"ro", OptionKind::set, MS_RDONLY},
    MountOption{"rprivate", OptionKind::propagation, MS_PRIVATE | MS_REC},
    MountOption{"rrelatime", OptionKind::atime, MOUNT_ATTR_RELATIME},
    MountOption{"rro", OptionKind::recursive_set, MOUNT_ATTR_RDONLY},
    MountOption{"rrw", OptionKind::recursive_clear, MOUNT_ATTR_RDONLY},
    MountOption{"rshared", OptionKind::propagation, MS_SHARED | MS_REC},
    MountOption{"rslave", OptionKind::propagation, MS_SLAVE | MS_REC},
    MountOption{"rstrictatime", OptionKind::atime, MOUNT_ATTR_STRICTATIME},
    MountOption{"rsuid", OptionKind::recursive_clear, MOUNT_ATTR_NOSUID},
    MountOption{"rsymfollow", OptionKind::recursive_clear, MOUNT_ATTR_NOSYMFOLLOW},
    MountOption{"runbindable", OptionKind::propagation, MS_UNBINDABLE | MS_REC},
    MountOption{"rw", OptionKind::clear, MS_RDONLY},
    MountOption{"shared", OptionKind::propagation, MS_SHARED},
    MountOption{"silent", OptionKind::set, MS_SILENT},
    MountOption{"slave", OptionKind::propagation, MS_SLAVE},
    MountOption{"src-nofollow", OptionKind::bind_flag, 0, &configs::Mount::source_nofollow},
    MountOption{"strictatime", OptionKind::set, MS_STRICTATIME},
    MountOption{"suid", OptionKind::clear, MS_NOSUID},
    MountOption{"symfollow", OptionKind::clear, MS_NOSYMFOLLOW},
    MountOption{"sync", OptionKind::set, MS_SYNCHRONOUS},
    MountOption{"tmpcopyup", OptionKind::copy_up, 0},
    MountOption{"unbindable", OptionKind::propagation, MS_UNBINDABLE},
};

// Null when `name` is none of the table's.
const MountOption* find_mount_option(std::string_view name);

// Adds what the options say to `mount`; of two that contradict the later one holds. What is not in
// the table goes to `mount.data`, joined by commas; an empty option says nothing.
void apply_options(const std::vector<std::string>& options, configs::Mount& mount);

// Whether it is a bind mount: by an option or by its type.
bool is_bind(const Mount& mount);

}  // namespace hull::specconv
