#include "specconv/mount_id_mapping.h"

#include <algorithm>

#include "libruntime/system/error.h"
#include "libruntime/system/text.h"
#include "specconv/mount_options.h"
#include "specconv/validate_parts.h"

namespace hull::specconv {
namespace {

using Maps = std::vector<configs::IdMap>;

[[noreturn]] void refuse(std::string_view option) {
  throw Error("invalid option " + quote(option))
      .hint("ID maps are written as \"idmap=uids=FILE-HOST-SIZE[#...];gids=...\"");
}

// "@1-3-10"
MountIdRange parse_range(std::string_view text, std::string_view option) {
  MountIdRange out;
  out.relative = text.starts_with('@');
  if (out.relative) text.remove_prefix(1);
  const std::vector<std::string_view> parts = split(text, '-');
  if (parts.size() != 3) refuse(option);
  uint32_t* const numbers[] = {&out.map.container_id, &out.map.host_id, &out.map.size};
  for (size_t i = 0; i < parts.size(); ++i) {
    const auto number = parse_number<uint32_t>(parts[i]);
    if (!number) refuse(option);
    *numbers[i] = *number;
  }
  return out;
}

// crun's rule: the map is moved as the container's map moves the range's first ID. A range that
// the container's map tears apart would be a guess.
configs::IdMap absolute(const MountIdRange& range, const Maps& container) {
  if (!range.relative) return range.map;
  configs::IdMap out = range.map;
  for (const configs::IdMap& map : container) {
    if (out.container_id < map.container_id || out.container_id - map.container_id >= map.size)
      continue;
    if (map.size - (out.container_id - map.container_id) < out.size) break;
    const int64_t host = int64_t{out.host_id} + map.host_id - map.container_id;
    if (host < 0 || host + out.size > UINT32_MAX) break;
    out.host_id = static_cast<uint32_t>(host);
    return out;
  }
  throw Error("the IDs from " + std::to_string(range.map.container_id) + " to " +
              std::to_string(uint64_t{range.map.container_id} + range.map.size - 1) +
              " are not in one range of the container's own mapping");
}

Maps absolute(const std::vector<MountIdRange>& ranges, const Maps& container) {
  Maps out;
  for (const MountIdRange& range : ranges) out.push_back(absolute(range, container));
  return out;
}

}  // namespace

bool is_idmap_option(std::string_view option) {
  const std::string_view name = option.substr(0, option.find('='));
  return name == "idmap" || name == "ridmap";
}

IdMapOption parse_idmap_option(std::string_view option) {
  IdMapOption out;
  out.recursive = option.starts_with('r');
  const size_t equals = option.find('=');
  if (equals == std::string_view::npos) return out;
  for (const std::string_view part : split(option.substr(equals + 1), ';')) {
    const size_t at = part.find('=');
    const std::string_view name = part.substr(0, at);
    if (at == std::string_view::npos || (name != "uids" && name != "gids")) refuse(option);
    std::vector<MountIdRange>& list = name == "uids" ? out.uids : out.gids;
    for (const std::string_view range : split(part.substr(at + 1), '#'))
      list.push_back(parse_range(range, option));
  }
  if (out.uids.empty() || out.gids.empty()) refuse(option);
  return out;
}

void check_id_mapping(const Mount& mount, const Linux& container, const std::string& base,
                      Problems& problems) {
  const bool own_maps = !mount.uid_mappings.empty() || !mount.gid_mappings.empty();
  if (mount.uid_mappings.empty() != mount.gid_mappings.empty())
    problems.add(base, "needs both uidMappings and gidMappings, or none");
  check_id_maps(mount.uid_mappings, base + "/uidMappings", problems);
  check_id_maps(mount.gid_mappings, base + "/gidMappings", problems);
  const auto refuse_unless_bind = [&](const std::string& pointer) {
    if (is_bind(mount)) return true;
    problems.add(pointer, "id-mapped mounts are only supported for bind-mounts");
    return false;
  };
  if (own_maps)
    refuse_unless_bind(base + (mount.uid_mappings.empty() ? "/gidMappings" : "/uidMappings"));
  for (size_t i = 0; i < mount.options.size(); ++i) {
    const std::string& text = mount.options[i];
    if (!is_idmap_option(text)) continue;
    const std::string pointer = pointer_to(base, "options", i);
    if (!refuse_unless_bind(pointer)) continue;
    try {
      const IdMapOption option = parse_idmap_option(text);
      if (!option.uids.empty() && own_maps)
        problems.add(pointer, "has maps, and the mount has uidMappings or gidMappings too");
      // config.md#linux-mount-options: an error MUST be returned.
      if (option.uids.empty() && !own_maps &&
          container.find(configs::NamespaceType::user) == nullptr)
        problems.add(pointer,
                     "needs uidMappings and gidMappings of the mount, or a user namespace "
                     "of the container, to say what is mapped");
    } catch (const Error& e) {
      problems.add(pointer, e.what());
    }
  }
}

void convert_id_mapping(const Mount& in, const Linux& container, configs::Mount& out) {
  out.uid_mappings = in.uid_mappings;
  out.gid_mappings = in.gid_mappings;
  for (const std::string& text : in.options) {
    if (!is_idmap_option(text)) continue;
    const IdMapOption option = parse_idmap_option(text);
    out.idmap_recursive = option.recursive;
    if (!option.uids.empty()) {
      out.uid_mappings = absolute(option.uids, container.uid_mappings);
      out.gid_mappings = absolute(option.gids, container.gid_mappings);
    } else if (in.uid_mappings.empty()) {
      out.uid_mappings = container.uid_mappings;
      out.gid_mappings = container.gid_mappings;
    }
  }
}

}  // namespace hull::specconv
