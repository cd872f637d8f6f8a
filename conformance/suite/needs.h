#pragma once

#include <string>
#include <vector>

namespace hull::conformance {

// Why this machine can't run a case, or "" when it can. A need is one of
//   v1, v2            the hierarchy that most controllers are in
//   cgroup:NAME       a controller, in either
//   capability:NAME   which the suite itself must hold
//   file:PATH, command:NAME, filesystem:NAME, cpus:N, apparmor, selinux
// Throws Error for another.
std::string what_lacks(const std::vector<std::string>& needs);

}  // namespace hull::conformance
