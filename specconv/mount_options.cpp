#include "specconv/mount_options.h"

#include <algorithm>

#include "specconv/mount_id_mapping.h"

namespace hull::specconv {
namespace {

constexpr bool by_name(const MountOption& a, const MountOption& b) { return a.name < b.name; }
static_assert(std::is_sorted(kMountOptions.begin(), kMountOptions.end(), by_name));

void apply(const MountOption& option, configs::Mount& mount) {
  switch (option.kind) {
    case OptionKind::set:
      mount.flags |= option.flags;
      mount.clear_flags &= ~option.flags;
      break;
    case OptionKind::clear:
      mount.flags &= ~option.flags;
      mount.clear_flags |= option.flags;
      break;
    case OptionKind::propagation:
      mount.propagation.push_back(option.flags);
      break;
    case OptionKind::recursive_set:
      mount.recursive_set |= option.flags;
      mount.recursive_clear &= ~option.flags;
      break;
    case OptionKind::recursive_clear:
      mount.recursive_set &= ~option.flags;
      mount.recursive_clear |= option.flags;
      break;
    case OptionKind::atime:
      // mount_setattr(2): an access time mode may only be set with all of MOUNT_ATTR__ATIME in
      // attr_clr.
      mount.recursive_set &= ~uint64_t{MOUNT_ATTR__ATIME};
      mount.recursive_set |= option.flags;
      mount.recursive_clear |= MOUNT_ATTR__ATIME;
      break;
    case OptionKind::no_atime:
      // Back to the kernel's default, which is relatime (MOUNT_ATTR_RELATIME is 0): so "not
      // relatime" changes nothing, as norelatime with mount(2).
      if (option.flags == MOUNT_ATTR_RELATIME) break;
      mount.recursive_set &= ~uint64_t{MOUNT_ATTR__ATIME};
      mount.recursive_clear |= MOUNT_ATTR__ATIME;
      break;
    case OptionKind::copy_up:
      mount.copy_up = true;
      break;
    case OptionKind::id_map:
      break;
    case OptionKind::bind_flag:
      mount.*option.member = true;
      break;
  }
}

}  // namespace

const MountOption* find_mount_option(std::string_view name) {
  const auto found = std::lower_bound(
      kMountOptions.begin(), kMountOptions.end(), name,
      [](const MountOption& option, std::string_view wanted) { return option.name < wanted; });
  return found != kMountOptions.end() && found->name == name ? &*found : nullptr;
}

void apply_options(const std::vector<std::string>& options, configs::Mount& mount) {
  for (const std::string& text : options) {
    if (const MountOption* option = find_mount_option(text); option != nullptr) {
      apply(*option, mount);
    } else if (!text.empty() && !is_idmap_option(text)) {
      if (!mount.data.empty()) mount.data += ',';
      mount.data += text;
    }
  }
}

bool is_bind(const Mount& mount) {
  if (mount.type == "bind") return true;
  return std::any_of(mount.options.begin(), mount.options.end(), [](const std::string& option) {
    return option == "bind" || option == "rbind";
  });
}

}  // namespace hull::specconv
