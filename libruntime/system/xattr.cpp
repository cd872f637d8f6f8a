#include "libruntime/system/xattr.h"

#include <sys/xattr.h>

#include <cerrno>
#include <climits>

#include "libruntime/system/error.h"
#include "libruntime/system/text.h"

namespace hull::xattr {

bool enabled(int fd, const std::string& space) {
  const std::string name = space + ".hull.probe";
  if (fsetxattr(fd, name.c_str(), "", 0, 0) != 0) {
    if (errno == EOPNOTSUPP) return false;
    throw Error("cannot set the attribute " + quote(name), "fsetxattr", errno);
  }
  if (fremovexattr(fd, name.c_str()) != 0)
    throw Error("cannot remove the attribute " + quote(name), "fremovexattr", errno);
  return true;
}

std::vector<std::string> list(int fd) {
  // Another process may add some between the two calls.
  std::string names;
  for (;;) {
    const ssize_t size = flistxattr(fd, nullptr, 0);
    if (size < 0 && errno == EOPNOTSUPP) return {};
    if (size < 0) throw Error("cannot list attributes", "flistxattr", errno);
    names.resize(static_cast<size_t>(size));
    const ssize_t got = flistxattr(fd, names.data(), names.size());
    if (got < 0 && errno == ERANGE) continue;
    if (got < 0) throw Error("cannot list attributes", "flistxattr", errno);
    names.resize(static_cast<size_t>(got));
    break;
  }
  std::vector<std::string> out;
  for (const std::string_view name : split(names, '\0'))
    if (!name.empty()) out.emplace_back(name);
  return out;
}

std::optional<std::string> get(int fd, const std::string& name) {
  std::string value(XATTR_SIZE_MAX, '\0');
  const ssize_t length = fgetxattr(fd, name.c_str(), value.data(), value.size());
  if (length < 0 && errno == ENODATA) return std::nullopt;
  if (length < 0) throw Error("cannot read the attribute " + quote(name), "fgetxattr", errno);
  value.resize(static_cast<size_t>(length));
  return value;
}

void set(int fd, const std::string& name, const std::string& value) {
  if (fsetxattr(fd, name.c_str(), value.data(), value.size(), 0) != 0)
    throw Error("cannot set the attribute " + quote(name), "fsetxattr", errno);
}

}  // namespace hull::xattr
