#pragma once

#include <string>

namespace hull::specconv {

// What this runtime can do, as JSON of runtime-spec's features.md, indented by 4 spaces as runc's.
// Made from the tables that the parsers use; what validate() refuses is not listed. Host-limited
// are: the capabilities (the kernel's last one), the seccomp flags (the kernel) and architectures
// (libseccomp). Throws Error.
std::string features_json();

}  // namespace hull::specconv
