#pragma once

#include <sys/types.h>

#include <string>

namespace hull::cgroups {

// Where the kernel lists the files that go along (cgroups(7), since Linux 4.15).
inline constexpr char kDelegateList[] = "/sys/kernel/cgroup/delegate";

// Gives a v2 cgroup to `uid`, so that it may make sub-cgroups and move processes among them, but
// not change the limits of `dir` itself (config-linux.md#cgroup-ownership). Files of `list` that
// the cgroup does not have are no error. Throws Error.
void delegate_cgroup(const std::string& dir, uid_t uid, const std::string& list = kDelegateList);

}  // namespace hull::cgroups
