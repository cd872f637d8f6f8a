#pragma once

#include <string>

#include "libruntime/configs/config.h"

namespace hull::launch {

// What a process leaves open is the container's: capabilities, rlimits, AppArmor profile, SELinux
// label, oom_score_adj, scheduler, I/O priority, CPU affinity.
configs::Process with_defaults(configs::Process process, const configs::Config& config);

// Sets uid, gid and additional_gids of `process` by "user[:group]" (find_user) and the files
// below `root`, the container's root directory as the caller sees it. Throws Error.
void look_up_user(configs::Process& process, const std::string& user, const std::string& root);

}  // namespace hull::launch
