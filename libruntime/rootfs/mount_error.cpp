#include "libruntime/rootfs/mount_error.h"

#include <sys/stat.h>

#include <cerrno>
#include <string_view>

#include "libruntime/rootfs/attributes.h"
#include "libruntime/system/syscalls.h"

namespace hull::rootfs {
namespace {

struct FlagName {
  uint64_t flag;
  std::string_view name;
};

constexpr FlagName kFlagNames[] = {
    {MS_BIND, "bind"},         {MS_REC, "rec"},
    {MS_RDONLY, "ro"},         {MS_NOSUID, "nosuid"},
    {MS_NODEV, "nodev"},       {MS_NOEXEC, "noexec"},
    {MS_SYNCHRONOUS, "sync"},  {MS_DIRSYNC, "dirsync"},
    {MS_MANDLOCK, "mand"},     {MS_NOSYMFOLLOW, "nosymfollow"},
    {MS_NOATIME, "noatime"},   {MS_NODIRATIME, "nodiratime"},
    {MS_RELATIME, "relatime"}, {MS_STRICTATIME, "strictatime"},
    {MS_LAZYTIME, "lazytime"}, {MS_I_VERSION, "iversion"},
    {MS_SILENT, "silent"},     {MS_REMOUNT, "remount"},
};

std::string_view word(FileKind kind) {
  switch (kind) {
    case FileKind::missing:
      return "does not exist";
    case FileKind::directory:
      return "is a directory";
    case FileKind::file:
      return "is a file";
    case FileKind::unknown:
      break;
  }
  return "is of unknown type";
}

bool is_bind(const configs::Mount& mount) { return (mount.flags & MS_BIND) != 0; }

// What the two sides are, then the sentence that users know.
std::string not_a_directory(const configs::Mount& mount, const MountFacts& facts) {
  std::string out;
  if (is_bind(mount) && facts.source != FileKind::unknown)
    out = "the source " + quote(mount.source) + ' ' + std::string(word(facts.source)) +
          " and the destination " + quote(mount.destination) + " in the container " +
          std::string(word(facts.destination)) + ". ";
  else if (facts.destination == FileKind::file)
    out = "the destination " + quote(mount.destination) + " in the container is a file. ";
  return out +
         "Are you trying to mount a directory onto a file (or vice-versa)? Check if the "
         "specified host path exists and is the expected type";
}

std::string permission_hint(const configs::Mount& mount, const MountFacts& facts) {
  if (mount.type == "sysfs" && facts.user_namespace)
    return "sysfs in a user namespace needs a network namespace of its own and a host whose /sys "
           "is not partly covered; bind the host's /sys instead";
  if (mount.type == "proc" && facts.user_namespace)
    return "proc in a user namespace needs a PID namespace of its own and a host whose /proc is "
           "not partly covered";
  if (mount.type == "mqueue")
    return "mqueue needs an IPC namespace that belongs to the container's user namespace";
  if (mount.type.starts_with("cgroup"))
    return "cgroups can be mounted only in a cgroup namespace of the container's own";
  if (is_bind(mount) && facts.user_namespace)
    return "in a user namespace the options that the source's mount has (ro, nosuid, nodev, "
           "noexec, "
           "atime) can't be switched off, and a source with mounts below it needs rbind";
  if (facts.user_namespace)
    return "this file system can't be mounted in a user namespace; mount it on the host and bind "
           "it";
  return "mounting needs CAP_SYS_ADMIN; a security module or seccomp profile may forbid it too";
}

std::string invalid_hint(const configs::Mount& mount, const MountFacts& facts) {
  if (is_bind(mount))
    return "the source's mount may be unbindable, or has locked mounts below it (then use rbind)";
  if (mount.type == "devpts" && facts.user_namespace)
    return "gid and uid options must be mapped in the user namespace";
  return "the file system may not know one of the options" +
         (mount.data.empty() ? std::string() : " " + quote(mount.data));
}

std::string hint_of(const configs::Mount& mount, int code, const MountFacts& facts) {
  const bool typeless = mount.type.empty() || mount.type == "none";
  if (!is_bind(mount) && typeless && code != 0)
    return "the type is " + quote(mount.type) +
           " and the options have no \"bind\" or \"rbind\": is this meant to be a bind mount?";
  switch (code) {
    case ENOENT:
    case ENOTDIR:
      if (is_bind(mount) && facts.source == FileKind::missing)
        return "the source " + quote(mount.source) + " does not exist on the host";
      return code == ENOTDIR ? not_a_directory(mount, facts) : std::string();
    case ENODEV:
      return "the kernel knows no file system " + quote(mount.type) +
             "; is its module loaded? A bind mount needs the option \"bind\" or \"rbind\"";
    case EPERM:
      return permission_hint(mount, facts);
    case EACCES:
      return facts.user_namespace
                 ? "the container's root user must be able to reach the source"
                 : "the source may be a read-only block device, or a security module forbids it";
    case EINVAL:
      return invalid_hint(mount, facts);
    case EBUSY:
      return "the file system is in use with other options";
    case EROFS:
      return "the destination can't be made on a read-only file system";
    case ENOSPC:
      return "too many mounts: see /proc/sys/fs/mount-max";
    case ENOSYS:
      return "the kernel, or a seccomp profile around this host, lacks the call";
    default:
      return {};
  }
}

}  // namespace

FileKind kind_of(const char* path, int dir) {
  struct stat info {};
  if (fstatat(dir, path, &info, *path == '\0' ? AT_EMPTY_PATH : 0) != 0)
    return errno == ENOENT ? FileKind::missing : FileKind::unknown;
  return S_ISDIR(info.st_mode) ? FileKind::directory : FileKind::file;
}

std::string flag_names(uint64_t flags) {
  std::string out;
  for (const FlagName& one : kFlagNames) {
    if ((flags & one.flag) == 0) continue;
    if (!out.empty()) out += ',';
    out += one.name;
  }
  return out;
}

Error explain_mount(const configs::Mount& mount, const std::string& field, const Error& cause,
                    const MountFacts& facts) {
  std::string options = flag_names(mount.flags);
  if (!mount.data.empty()) options += (options.empty() ? "" : ",") + mount.data;
  std::string message = "error mounting " + quote(mount.source) + " to rootfs at " +
                        quote(mount.destination) + " (type " + quote(mount.type) + ", options " +
                        quote(options) + "): " + cause.message();
  std::string hint = cause.hint();
  if (hint.empty()) hint = hint_of(mount, cause.code(), facts);
  return Error(std::move(message), cause.call(), cause.code()).field(field).hint(hint);
}

}  // namespace hull::rootfs
