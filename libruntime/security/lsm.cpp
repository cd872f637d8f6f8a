#include "libruntime/security/lsm.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <cerrno>
#include <optional>

#include "libruntime/system/error.h"
#include "libruntime/system/files.h"
#include "libruntime/system/mountinfo.h"

namespace hull::security {
namespace {

constexpr const char* kUnconfined = "unconfined";
constexpr const char* kApparmorField = "/process/apparmorProfile";
constexpr const char* kSelinuxField = "/process/selinuxLabel";

// A read-only selinuxfs is how container managers say "not for you", as libselinux understands it.
bool is_active_selinuxfs(const std::string& path) {
  struct statfs fs {};
  return statfs(path.c_str(), &fs) == 0 && fs.f_type == SELINUX_MAGIC &&
         (fs.f_flags & ST_RDONLY) == 0;
}

void write_label(const ProcFs& proc, const char* path, std::string_view content, const char* what) {
  try {
    proc.write(path, content);
  } catch (Error& e) {
    e.set_stage(std::string("setting the ") + what);
    e.set_field(kSelinuxField);
    if (e.code() == EINVAL) e.set_hint("the loaded policy does not know this label");
    if (e.code() == EACCES) e.set_hint("the policy does not let hull set this label");
    throw;
  }
}

}  // namespace

bool apparmor_enabled(const std::string& sys) {
  const std::optional<std::string> enabled =
      read_file_if_exists(sys + "/module/apparmor/parameters/enabled");
  if (!enabled || !enabled->starts_with('Y')) return false;
  // Absent where a container manager hides AppArmor from us.
  return access((sys + "/kernel/security/apparmor").c_str(), F_OK) == 0;
}

bool selinux_enabled() {
  if (is_active_selinuxfs("/sys/fs/selinux")) return true;
  for (const MountInfo& mount : read_mountinfo())
    if (mount.fs_type == "selinuxfs" && is_active_selinuxfs(mount.mount_point)) return true;
  return false;
}

std::string resolve_apparmor_profile(const std::string& profile) {
  if (profile.empty() || apparmor_enabled()) return profile;
  if (profile == kUnconfined) return {};
  throw Error("apparmor profile given, but the kernel has no AppArmor")
      .field(kApparmorField)
      .hint("leave the profile out, or boot with AppArmor enabled");
}

std::string resolve_selinux_label(const std::string& label, std::string_view field) {
  if (label.empty() || selinux_enabled()) return label;
  throw Error("SELinux label given, but the kernel has no SELinux")
      .field(field)
      .hint("leave the label out, or boot with SELinux enabled");
}

void set_apparmor_profile(const ProcFs& proc, const std::string& profile) {
  if (profile.empty()) return;
  const std::string command = "exec " + profile;
  try {
    try {
      proc.write("thread-self/attr/apparmor/exec", command);
    } catch (const Error& e) {
      if (e.call() == "write" || e.code() != ENOENT) throw;
      // Kernels before 5.1 have one directory for all modules.
      proc.write("thread-self/attr/exec", command);
    }
  } catch (Error& e) {
    e.set_stage("applying the AppArmor profile");
    e.set_field(kApparmorField);
    if (e.code() == ENOENT) e.set_hint("is the profile loaded? see apparmor_parser(8)");
    if (e.code() == EACCES || e.code() == EPERM)
      e.set_hint("the profile that hull itself runs under does not allow the change");
    throw;
  }
}

void set_selinux_exec_label(const ProcFs& proc, const std::string& label) {
  if (!label.empty()) write_label(proc, "thread-self/attr/exec", label, "SELinux process label");
}

void set_selinux_key_label(const ProcFs& proc, const std::string& label) {
  if (!label.empty())
    write_label(proc, "thread-self/attr/keycreate", label, "SELinux label of keyrings");
}

void clear_selinux_key_label(const ProcFs& proc) {
  // A write of nothing takes the label back, as setkeycreatecon(3) does it.
  write_label(proc, "thread-self/attr/keycreate", "", "SELinux label of keyrings");
}

}  // namespace hull::security
