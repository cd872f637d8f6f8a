#include <algorithm>
#include <array>

#include "libruntime/system/error.h"
#include "libruntime/system/text.h"
#include "specconv/mount_id_mapping.h"
#include "specconv/mount_options.h"
#include "specconv/validate_parts.h"

// config.md#mounts
namespace hull::specconv {
namespace {

// mount(2) copies one page of data and cuts off the rest without a word.
constexpr size_t kMaxData = 4095;

// What lxcfs and the like put over files of /proc. Anything else in there could stand in for the
// files through which labels and limits are written (CVE-2019-16884).
constexpr std::array<std::string_view, 10> kProcFiles{"/proc/cpuinfo",
                                                      "/proc/diskstats",
                                                      "/proc/loadavg",
                                                      "/proc/meminfo",
                                                      "/proc/slabinfo",
                                                      "/proc/stat",
                                                      "/proc/swaps",
                                                      "/proc/sys/crypto/fips_enabled",
                                                      "/proc/sys/kernel/ns_last_pid",
                                                      "/proc/uptime"};

// The rootfs room checks again by descriptor: a destination can lead to /proc through a link.
void check_over_proc(const Mount& mount, const std::string& base, Problems& problems) {
  const std::string target = clean_path("/" + mount.destination);
  if (!path_is_below(target, "/proc")) return;
  if (target == "/proc") {
    // A container in the host's pid namespace may have the host's /proc.
    const bool is_proc =
        is_bind(mount) ? clean_path(mount.source) == "/proc" : mount.type == "proc";
    if (!is_proc) {
      problems.add(base + "/destination",
                   quote(target) + " cannot be mounted because it is not of type proc");
    }
  } else if (std::find(kProcFiles.begin(), kProcFiles.end(), target) == kProcFiles.end()) {
    problems.add(base + "/destination",
                 quote(target) + " cannot be mounted because it is inside /proc");
  }
}

void check_options(const Mount& mount, const std::string& base, Problems& problems) {
  size_t data = 0;
  for (size_t i = 0; i < mount.options.size(); ++i) {
    const std::string& text = mount.options[i];
    const MountOption* option = find_mount_option(text);
    if (is_idmap_option(text)) continue;  // check_id_mapping
    if (option != nullptr) {
      if (option->kind == OptionKind::copy_up && (mount.type != "tmpfs" || is_bind(mount)))
        problems.add(pointer_to(base, "options", i), "is for mounts of type tmpfs only");
      if (option->kind == OptionKind::bind_flag && !is_bind(mount))
        problems.add(pointer_to(base, "options", i), "is for bind mounts only");
    } else if (is_bind(mount) && !text.empty()) {
      problems.add(pointer_to(base, "options", i),
                   "unknown option " + quote(text) +
                       ": bind mounts cannot have any filesystem-specific options");
    } else {
      data += text.size() + 1;
    }
  }
  if (data > kMaxData) problems.add(base + "/options", "are longer than 4095 bytes");
}

void check_mount(const Mount& mount, const Linux& container, const std::string& base,
                 Problems& problems) {
  if (mount.destination.empty()) problems.add(base + "/destination", "must not be empty");
  if (is_bind(mount) && mount.source.empty())
    problems.add(base + "/source", "is required for a bind mount");
  check_id_mapping(mount, container, base, problems);
  check_options(mount, base, problems);
  check_over_proc(mount, base, problems);
}

}  // namespace

void check_mounts(const Spec& spec, Problems& problems) {
  for (size_t i = 0; i < spec.mounts.size(); ++i)
    check_mount(spec.mounts[i], spec.linux_part, pointer_to("/mounts", i), problems);
}

}  // namespace hull::specconv
