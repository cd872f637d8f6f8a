#include "libruntime/rootfs/copy_link.h"

#include <unistd.h>

#include <cerrno>
#include <climits>

#include "libruntime/rootfs/target.h"
#include "libruntime/system/error.h"

namespace hull::rootfs {
namespace {

// Empty when it is no link.
std::string read_link(int dir, const std::string& path) {
  std::string target(PATH_MAX, '\0');
  const ssize_t length = readlinkat(dir, path.c_str(), target.data(), target.size());
  if (length < 0 && errno == EINVAL) return {};
  if (length < 0) throw Error("cannot read the link " + quote(path), "readlink", errno);
  target.resize(static_cast<size_t>(length));
  return target;
}

}  // namespace

bool copy_link(const RootPath& root, const std::string& source, const std::string& destination) {
  const std::string target = read_link(AT_FDCWD, source);
  if (target.empty()) return false;
  const std::string path = absolute_destination(destination);
  const size_t slash = path.rfind('/');
  const Fd parent = root.mkdir_all(path.substr(0, slash + 1), 0755);
  const std::string name = path.substr(slash + 1);
  if (symlinkat(target.c_str(), parent.get(), name.c_str()) == 0) return true;
  if (errno != EEXIST) throw Error("cannot make the link " + quote(path), "symlinkat", errno);
  if (read_link(parent.get(), name) != target)
    throw Error("something that is not the link to " + quote(target) + " exists at " + quote(path));
  return true;
}

}  // namespace hull::rootfs
