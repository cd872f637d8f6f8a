#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "libruntime/configs/config.h"
#include "specconv/problem.h"
#include "specconv/spec.h"

// Whose the files of a mount seem to be: the options "idmap" and "ridmap", uidMappings and
// gidMappings (config.md#mounts), and crun's maps in the option itself:
// "idmap=uids=0-1-10#10-11-10;gids=@0-100-10".
namespace hull::specconv {

// IDs from container_id on of the file system show as those from host_id on.
struct MountIdRange {
  configs::IdMap map;
  bool relative = false;  // "@": host_id is an ID of the container
};

// What an option says.
struct IdMapOption {
  bool recursive = false;
  std::vector<MountIdRange> uids;  // both empty: the mount's own mappings, or the container's
  std::vector<MountIdRange> gids;
};

// Whether it is "idmap" or "ridmap", with or without maps.
bool is_idmap_option(std::string_view option);
// Throws Error.
IdMapOption parse_idmap_option(std::string_view option);

// Notes why the mount can't be idmapped as it asks.
void check_id_mapping(const Mount& mount, const Linux& container, const std::string& base,
                      Problems& problems);

// The maps that a checked mount gets, if it asks for any. Throws Error.
void convert_id_mapping(const Mount& in, const Linux& container, configs::Mount& out);

}  // namespace hull::specconv
