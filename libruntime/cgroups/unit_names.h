#pragma once

#include <string>
#include <string_view>

#include "libruntime/configs/config.h"

// How systemd's units are called and where their cgroups are (systemd.slice(5)). Pure; what can't
// be is an Error with the field of the config.
namespace hull::cgroups {

// The unit of a container: "PREFIX-NAME.scope", or NAME when that is a slice's.
std::string unit_name(const configs::Cgroup& config);
// The slice that it is in; when none is given "system.slice", for a user's "user.slice".
std::string slice_name(const configs::Cgroup& config);
// A slice's directory below the manager's own: "a-b.slice" is "/a.slice/a-b.slice", "-.slice" is
// "".
std::string slice_path(std::string_view slice);
// The unit's directory, of a directory that is it or lies below; the same when `unit` is no part.
std::string unit_directory(const std::string& dir, const std::string& unit);

}  // namespace hull::cgroups
