#pragma once

#include <string>
#include <vector>

namespace hull::cgroups {

// The names of the cgroups right below `dir`; none when it is gone. Throws Error.
std::vector<std::string> subdirectories(const std::string& dir);

}  // namespace hull::cgroups
