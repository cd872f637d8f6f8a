#pragma once

#include <optional>
#include <string>
#include <vector>

// Extended attributes (xattr(7)) by descriptor.
namespace hull::xattr {

// Whether the file system of `fd` takes those of `space` ("user", "trusted"); tried with a name of
// our own, which is removed again. Throws Error.
bool enabled(int fd, const std::string& space);

// The names; none where the file system has no attributes. Throws Error.
std::vector<std::string> list(int fd);

// Nothing when there is no such attribute. Throws Error.
std::optional<std::string> get(int fd, const std::string& name);

// Throws Error; its code tells what is usual: EOPNOTSUPP, EPERM.
void set(int fd, const std::string& name, const std::string& value);

}  // namespace hull::xattr
