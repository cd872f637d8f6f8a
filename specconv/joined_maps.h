#pragma once

#include <string_view>
#include <vector>

#include "libruntime/configs/config.h"
#include "specconv/spec.h"

// The ID maps of a user namespace that a container joins.
namespace hull::specconv {

// The text of /proc/[pid]/uid_map (user_namespaces(7)). Throws Error when it is none.
std::vector<configs::IdMap> parse_id_map(std::string_view text);

// Whether both map the same IDs, in whatever order and pieces.
bool same_maps(const std::vector<configs::IdMap>& a, const std::vector<configs::IdMap>& b);

// Reads the maps of the user namespace that `container` joins, if it does, into uid_mappings and
// gid_mappings. Throws Error when they hold other maps already: hosts give both, and a container
// whose files belong to others than was said would be no container to trust.
void read_joined_maps(Linux& container);

}  // namespace hull::specconv
