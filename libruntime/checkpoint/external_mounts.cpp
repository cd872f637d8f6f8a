#include "libruntime/checkpoint/external_mounts.h"

#include <fcntl.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string_view>

#include "libruntime/system/error.h"
#include "libruntime/system/files.h"
#include "libruntime/system/syscalls.h"
#include "libruntime/system/text.h"

namespace hull::checkpoint {
namespace {

constexpr char kMaskKey[] = "hull-mask";
constexpr char kCgroupKey[] = "hull-cgroup-";
constexpr char kUnified[] = "unified";
constexpr char kNotifyKey[] = "hull-notify";

// The destination as the configuration has it, spelt so that no two look alike to CRIU.
std::string hex(std::string_view text) {
  constexpr char kDigits[] = "0123456789abcdef";
  std::string out;
  for (const char c : text) {
    out += kDigits[static_cast<unsigned char>(c) >> 4];
    out += kDigits[static_cast<unsigned char>(c) & 15];
  }
  return out;
}

// Keys of the configuration's bind mounts, by index; of several with one destination each has its
// own.
std::map<size_t, std::string> bind_keys(const configs::Config& config) {
  std::map<size_t, std::string> out;
  std::map<std::string, int> seen;
  for (size_t i = 0; i < config.mounts.size(); ++i) {
    const configs::Mount& mount = config.mounts[i];
    if ((mount.flags & MS_BIND) == 0 || mount.type == "cgroup") continue;
    const std::string name = hex(mount.destination);
    out[i] = "hull-mount-" + std::to_string(seen[name]++) + "-" + name;
  }
  return out;
}

// Of a mount below a bind mount that brought the whole tree.
std::string below_key(const std::string& key, std::string_view relative) {
  return key + "-" + hex(relative);
}

std::string device_key(const configs::Device& device) { return "hull-device-" + hex(device.path); }

bool has_own_cgroup_namespace(const configs::Config& config) {
  const configs::Namespace* ns = config.find(configs::NamespaceType::cgroup);
  return ns != nullptr && ns->path.empty();
}

// The path without links; as it is when there is nothing.
std::string real_path(const std::string& path) {
  const std::unique_ptr<char, decltype(&std::free)> real(realpath(path.c_str(), nullptr),
                                                         &std::free);
  return real ? real.get() : path;
}

struct Restriction {
  uint64_t flag;       // MS_*
  uint64_t attribute;  // MOUNT_ATTR_*, recursive
  std::string_view option;
};
constexpr Restriction kRestrictions[] = {
    {MS_RDONLY, MOUNT_ATTR_RDONLY, "ro"},
    {MS_NOSUID, MOUNT_ATTR_NOSUID, "nosuid"},
    {MS_NODEV, MOUNT_ATTR_NODEV, "nodev"},
    {MS_NOEXEC, MOUNT_ATTR_NOEXEC, "noexec"},
};

void require_restrictions(const configs::Mount& wanted, const MountInfo& found) {
  for (const Restriction& one : kRestrictions)
    if (((wanted.flags & one.flag) != 0 || (wanted.recursive_set & one.attribute) != 0) &&
        !has_option(found.options, one.option))
      throw Error("the mount at " + quote(wanted.destination) + " is not \"" +
                  std::string(one.option) + "\", as the configuration has it");
}

// CRIU takes keys as TYPE[KEY]:VALUE.
void require_plain(const std::string& mount_point) {
  if (mount_point.find_first_of("]\n") != std::string::npos)
    throw Error("criu can't name the mount point " + quote(mount_point))
        .hint("a mount that is restored must have no ']' and no line end in its path");
}

class Finder {
 public:
  Finder(const configs::Config& config, const ContainerMounts& mounts)
      : config_(config), mounts_(mounts) {}

  std::vector<ExternalMount> find() {
    for (const configs::Mount& mount : config_.mounts) note_place(mount.destination);
    for (const configs::Device& device : config_.devices) note_place(device.path);
    for (const std::string& path : config_.mask_paths) note_place(path);
    for (const std::string& path : config_.readonly_paths) note_place(path);
    for (const char* path : {"/dev/console", kNotifyPlace}) note_place(path);
    for (const auto& [index, key] : bind_keys(config_)) {
      try {
        find_bind(config_.mounts[index], key);
      } catch (Error& e) {
        e.set_field("/mounts/" + std::to_string(index));
        throw;
      }
    }
    for (const auto& [id, key] : trees_) find_below(id, key);
    for (const configs::Mount& mount : config_.mounts)
      if (mount.type == "cgroup") find_cgroups(mount);
    if (const MountInfo* notify = mounts_.at(kNotifyPlace); notify != nullptr)
      if (!taken_.contains(notify->id)) add(kNotifyKey, *notify);
    for (const configs::Device& device : config_.devices)
      if (const MountInfo* found = mounts_.at(device.path)) add(device_key(device), *found);
    for (const std::string& path : config_.mask_paths) find_mask(path);
    return std::move(out_);
  }

 private:
  void add(const std::string& key, const MountInfo& found) {
    require_plain(found.mount_point);
    if (!taken_.insert(found.id).second)
      throw Error("two mounts of the configuration are the one at " + quote(found.mount_point));
    out_.push_back({key, found.mount_point});
  }

  void find_bind(const configs::Mount& mount, const std::string& key) {
    if (mount.idmapped())
      throw Error("an idmapped mount cannot be checkpointed: criu drops the mapping");
    const MountInfo* found = mounts_.at(mount.destination);
    if (found == nullptr && mount.copy_symlink) return;  // was made anew, not mounted
    if (found == nullptr) throw Error("no mount is at " + quote(mount.destination) + " any more");
    require_restrictions(mount, *found);
    add(key, *found);
    if ((mount.flags & MS_REC) != 0) trees_[found->id] = key;
  }

  // What was mounted in the source's tree, unless the configuration put it there.
  void find_below(int top, const std::string& key) {
    const std::string base = mounts_.by_id(top)->mount_point;
    for (const MountInfo& one : mounts_.all()) {
      if (placed_.contains(one.id) || !is_inside(one, top)) continue;
      add(below_key(key, one.mount_point.substr(base.size() + 1)), one);
    }
  }

  // By parents that the configuration did not put there.
  bool is_inside(const MountInfo& mount, int top) const {
    if (mount.parent == top) return true;
    const MountInfo* parent = mounts_.by_id(mount.parent);
    return parent != nullptr && parent->id != mount.id && !placed_.contains(parent->id) &&
           is_inside(*parent, top);
  }

  void note_place(const std::string& path) {
    if (const MountInfo* found = mounts_.at(path)) placed_.insert(found->id);
  }

  // Without a cgroup namespace they are binds of the host's directories.
  void find_cgroups(const configs::Mount& mount) {
    const MountInfo* top = mounts_.at(mount.destination);
    if (top == nullptr) return;
    const bool own = has_own_cgroup_namespace(config_);
    if (top->fs_type == "cgroup2") {
      if (!own) add(std::string(kCgroupKey) + kUnified, *top);
      return;
    }
    for (const MountInfo& one : mounts_.all()) {
      if (one.parent != top->id) continue;
      const std::string name = one.mount_point.substr(one.mount_point.rfind('/') + 1);
      if (!own || name == kUnified) add(kCgroupKey + name, one);
    }
  }

  // A masked directory is a tmpfs, which CRIU makes; a file is the null device, mostly the one of
  // the container's own /dev, which CRIU makes, too.
  void find_mask(const std::string& path) {
    const MountInfo* found = mounts_.at(path);
    if (found == nullptr || found->root == "/" || is_whole(found->device)) return;
    if (taken_.insert(found->id).second) out_.push_back({kMaskKey, found->mount_point});
  }

  // Whether the container sees all of this file system somewhere.
  bool is_whole(const std::string& device) const {
    return std::any_of(mounts_.all().begin(), mounts_.all().end(), [&](const MountInfo& mount) {
      return mount.device == device && mount.root == "/";
    });
  }

  const configs::Config& config_;
  const ContainerMounts& mounts_;
  std::set<int> placed_;  // by the configuration or the runtime
  std::set<int> taken_;
  std::map<int, std::string> trees_;  // mount ID -> key, of recursive binds
  std::vector<ExternalMount> out_;
};

}  // namespace

int mount_id(const std::string& proc_dir, int fd) {
  const auto text = read_value_if_exists(proc_dir + "/fdinfo/" + std::to_string(fd));
  if (!text) return -1;
  constexpr std::string_view kName = "mnt_id:";
  for (const std::string_view line : split(*text, '\n'))
    if (line.starts_with(kName))
      return parse_number<int>(trim(line.substr(kName.size()))).value_or(-1);
  return -1;
}

ContainerMounts::ContainerMounts(pid_t pid)
    : all_(parse_mountinfo(read_file("/proc/" + std::to_string(pid) + "/mountinfo"))),
      root_(RootPath::at("/proc/" + std::to_string(pid) + "/root")) {}

const MountInfo* ContainerMounts::at(const std::string& path) const {
  const Fd fd = root_.try_open(path, O_PATH);
  if (!fd) return nullptr;
  const MountInfo* found = by_id(mount_id("/proc/self", fd.get()));
  // Below its root the path is only a file on it.
  return found != nullptr && root_.path_of(fd.get()) == found->mount_point ? found : nullptr;
}

const MountInfo* ContainerMounts::by_id(int id) const {
  for (const MountInfo& one : all_)
    if (one.id == id) return &one;
  return nullptr;
}

std::vector<ExternalMount> find_external_mounts(const configs::Config& config,
                                                const ContainerMounts& mounts) {
  return Finder(config, mounts).find();
}

std::vector<ExternalSource> external_sources(
    const configs::Config& config, const std::vector<configs::CgroupController>& controllers,
    const std::string& unified, const std::string& notify_directory) {
  std::vector<ExternalSource> out;
  const std::vector<MountInfo> host = read_mountinfo();
  for (const auto& [index, key] : bind_keys(config)) {
    const configs::Mount& mount = config.mounts[index];
    out.push_back({key, mount.source});
    if ((mount.flags & MS_REC) == 0) continue;
    const std::string top = real_path(mount.source);
    for (const MountInfo& one : host)
      if (one.mount_point != top && path_is_below(one.mount_point, top))
        out.push_back({below_key(key, one.mount_point.substr(top == "/" ? 1 : top.size() + 1)),
                       one.mount_point});
  }
  for (const configs::CgroupController& one : controllers)
    out.push_back({kCgroupKey + one.name, one.host_path});
  if (!unified.empty()) out.push_back({std::string(kCgroupKey) + kUnified, unified});
  for (const configs::Device& device : config.devices)
    out.push_back({device_key(device), device.path});
  out.push_back({kMaskKey, "/dev/null"});
  out.push_back({kNotifyKey, notify_directory});
  return out;
}

}  // namespace hull::checkpoint
