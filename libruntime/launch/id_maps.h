#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

#include "libruntime/configs/config.h"

namespace hull::launch {

// Writes the ID maps of the new user namespace that process `pid` is in. Where this process may not
// (user_namespaces(7)): its own single ID it may, and setgroups(2) is denied in there for it; all
// else is the business of newuidmap(1) and newgidmap(1), which go by /etc/subuid and /etc/subgid.
// Throws Error.
void write_id_maps(pid_t pid, const std::vector<configs::IdMap>& uids,
                   const std::vector<configs::IdMap>& gids);

// The sysctl by which this host keeps users from making user namespaces, in words; "" when there is
// none.
std::string what_forbids_user_namespaces();

}  // namespace hull::launch
