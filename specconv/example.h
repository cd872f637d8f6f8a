#pragma once

#include <string>

namespace hull::specconv {

// A config.json to start from, as `spec` writes it: runc's, indented by tabs, without a final
// newline. No inheritable capabilities (CVE-2022-24769). `rootless`: for a user without privileges,
// who is root in a user namespace with `uid` and `gid` as the only mapped IDs.
std::string example_config(bool rootless, unsigned uid, unsigned gid);

}  // namespace hull::specconv
