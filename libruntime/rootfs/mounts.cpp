#include "libruntime/rootfs/mounts.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <cerrno>

#include "libruntime/rootfs/attributes.h"
#include "libruntime/rootfs/bind.h"
#include "libruntime/rootfs/cgroup_mount.h"
#include "libruntime/rootfs/copy_up.h"
#include "libruntime/rootfs/fd_path.h"
#include "libruntime/rootfs/mount_error.h"
#include "libruntime/system/error.h"
#include "libruntime/system/text.h"

namespace hull::rootfs {
namespace {

// mount(2) takes one page of data and drops the rest without a word.
constexpr size_t kMaxData = 4095;

bool has_key(const std::string& data, std::string_view key) {
  for (const std::string_view option : split(data, ','))
    if (option.starts_with(key) && option.substr(key.size()).starts_with('=')) return true;
  return false;
}

// Without mode= a tmpfs keeps the mode of the directory that it covers, as runc has it.
std::string with_mode_of(const Target& target, const std::string& data) {
  if (target.created || has_key(data, "mode")) return data;
  struct stat info {};
  if (fstat(target.fd.get(), &info) != 0)
    throw Error("cannot look at the destination", "fstat", errno);
  std::string out = "mode=0000";
  for (int digit = 0; digit < 4; ++digit)
    out[static_cast<size_t>(8 - digit)] = static_cast<char>('0' + (info.st_mode >> 3 * digit & 7));
  return data.empty() ? out : out + ',' + data;
}

std::string data_of(const plan::Rootfs& plan, const configs::Mount& mount, const Target& target) {
  if (mount.type == "tmpfs") return with_label(with_mode_of(target, mount.data), plan.mount_label);
  if (mount.type == "devpts")
    return with_label(without_unmapped_tty_group(mount.data, plan), plan.mount_label);
  // SELinux labels no proc and no sysfs, and mqueue by its directory.
  if (mount.type == "proc" || mount.type == "sysfs" || mount.type == "mqueue") return mount.data;
  return with_label(mount.data, plan.mount_label);
}

void fill_from_below(const configs::Mount& mount, const Target& target, int top) {
  copy_up(target.fd.get(), top);
  struct stat info {};
  if (fstat(target.fd.get(), &info) != 0)
    throw Error("cannot look at the destination", "fstat", errno);
  const uid_t uid = has_key(mount.data, "uid") ? static_cast<uid_t>(-1) : info.st_uid;
  const gid_t gid = has_key(mount.data, "gid") ? static_cast<gid_t>(-1) : info.st_gid;
  if (fchownat(top, "", uid, gid, AT_EMPTY_PATH) != 0)
    throw Error("tmpcopyup: cannot set the owner", "fchownat", errno);
}

void label_directory(int top, const std::string& label) {
  const Fd fd(openat(top, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!fd || fsetxattr(fd.get(), "security.selinux", label.c_str(), label.size() + 1, 0) != 0)
    throw Error("cannot set the SELinux label " + quote(label), "fsetxattr", errno)
        .field("/linux/mountLabel");
}

void mount_file_system(const RootPath& root, const plan::Rootfs& plan,
                       const configs::Mount& mount) {
  if (mount.copy_up && mount.type != "tmpfs")
    throw Error("tmpcopyup is for mounts of type \"tmpfs\"");
  if (mount.idmapped()) throw Error("ID mappings are for bind mounts only");
  const Target target = open_target(root, mount, Kind::directory, 0);
  uint64_t flags = mount.flags & ~(MS_REC | kPropagationFlags);
  if (is_read_only_late(mount)) flags &= ~static_cast<uint64_t>(MS_RDONLY);
  mount_on(target, mount.source, mount.type.c_str(), flags, data_of(plan, mount, target));

  Attributes tree{mount.recursive_set, mount.recursive_clear};
  if ((tree.set & MOUNT_ATTR__ATIME) != 0) tree.clear |= MOUNT_ATTR__ATIME;
  const bool label = mount.type == "mqueue" && !plan.mount_label.empty();
  const bool nosymfollow = (flags & MS_NOSYMFOLLOW) != 0;
  if (!mount.copy_up && !label && !nosymfollow && tree.empty() && mount.propagation.empty()) return;
  const Fd top = reopen(root, target);
  if (nosymfollow) require_nosymfollow(top.get());
  if (mount.copy_up) fill_from_below(mount, target, top.get());
  if (label) label_directory(top.get(), plan.mount_label);
  set_attributes(top.get(), tree, true);
  for (const uint64_t propagation : mount.propagation) set_propagation(top.get(), propagation);
}

// Looked up only now, after the failure: an error's text is worth the calls, a good mount is not.
MountFacts gather_facts(const RootPath& root, const plan::Rootfs& plan,
                        const configs::Mount& mount) {
  MountFacts facts;
  facts.user_namespace = plan.user_namespace;
  if ((mount.flags & MS_BIND) != 0) facts.source = kind_of(mount.source.c_str());
  const Fd target = root.try_open(absolute_destination(mount.destination), O_PATH);
  if (target) {
    facts.destination = kind_of("", target.get());
  } else if (errno == ENOENT) {
    facts.destination = FileKind::missing;
  }
  return facts;
}

}  // namespace

bool is_read_only_late(const configs::Mount& mount) {
  if ((mount.flags & MS_RDONLY) == 0 || (mount.flags & MS_BIND) != 0) return false;
  return mount.type == "tmpfs" || absolute_destination(mount.destination) == "/dev";
}

std::string with_label(const std::string& data, const std::string& label) {
  if (label.empty()) return data;
  return (data.empty() ? "" : data + ',') + "context=\"" + label + '"';
}

std::string without_unmapped_tty_group(const std::string& data, const plan::Rootfs& plan) {
  if (!plan.user_namespace) return data;
  constexpr uint32_t kTty = 5;
  for (const configs::IdMap& map : plan.gid_mappings)
    if (kTty >= map.container_id && kTty - map.container_id < map.size) return data;
  std::string out;
  for (const std::string_view option : split(data, ',')) {
    if (option == "gid=5") continue;
    if (!out.empty()) out += ',';
    out += option;
  }
  return out;
}

void mount_on(const Target& target, const std::string& source, const char* type, uint64_t flags,
              const std::string& data) {
  if (data.size() > kMaxData)
    throw Error("the options are longer than " + std::to_string(kMaxData) + " bytes");
  const char* options = data.empty() ? nullptr : data.c_str();
  if (::mount(source.c_str(), FdPath(target.fd.get()), type, flags, options) != 0)
    throw Error("the kernel refuses it", "mount", errno);
}

void mount_entry(const RootPath& root, const plan::Rootfs& plan, size_t index,
                 const AskForSource& ask_for_source) {
  const configs::Mount& mount = plan.mounts[index];
  try {
    if (mount.type == "cgroup") {
      mount_cgroup(root, plan, mount);
    } else if ((mount.flags & MS_BIND) != 0) {
      mount_bind(root, plan, mount, [&] { return ask_for_source(index); });
    } else {
      mount_file_system(root, plan, mount);
    }
  } catch (const Error& e) {
    throw explain_mount(mount, "/mounts/" + std::to_string(index), e,
                        gather_facts(root, plan, mount));
  }
}

}  // namespace hull::rootfs
