#include "libruntime/cgroups/paths.h"

#include "libruntime/system/error.h"
#include "libruntime/system/mountinfo.h"
#include "libruntime/system/text.h"

namespace hull::cgroups {
namespace {

constexpr std::string_view kField = "/linux/cgroupsPath";

// Clean, and for a relative path without any "..": it can't climb.
std::string clean_inner(std::string_view path) {
  if (path.empty()) return "";
  if (path.starts_with('/')) return clean_path(path);
  return clean_path("/" + std::string(path)).substr(1);
}

std::string join(const std::string& base, std::string_view inner) {
  return clean_path(base + "/" + std::string(inner));
}

std::string inner_path(const configs::Cgroup& config) {
  if (!config.path.empty() && (!config.name.empty() || !config.parent.empty()))
    throw Error("either a path or a name and a parent of a cgroup can be given").field(kField);
  const std::string inner = clean_inner(config.path);
  if (!inner.empty()) return inner;
  const std::string parent = clean_inner(config.parent);
  const std::string name = clean_inner(config.name);
  return parent.empty() ? name : join(parent, name);
}

// Where the caller's own cgroup is below the mount point: a mount may show a part of the hierarchy
// only, as in a container without a cgroup namespace.
std::string visible_own(const Hierarchy& hierarchy, const std::string& own) {
  const std::string& root = hierarchy.mount_root;
  const bool outside = own.empty() || own.starts_with("/..") || root.starts_with("/..");
  if (outside || !path_is_below(own, root))
    throw Error("the caller's own cgroup " + quote(own) + " is not below " + quote(root) +
                ", which is what is mounted at " + quote(hierarchy.mount_point))
        .field(kField)
        .hint("give an absolute cgroupsPath");
  return root == "/" ? own : own.substr(root.size());
}

std::string base_of(const Hierarchy& hierarchy, const std::string& inner, Mode mode,
                    std::string_view own_cgroups) {
  if (inner.starts_with('/')) return hierarchy.mount_point;
  std::string own = visible_own(hierarchy, own_cgroup(own_cgroups, hierarchy.name));
  if (mode == Mode::v2) own = own.substr(0, own.find_last_of('/') + 1);
  return join(hierarchy.mount_point, own);
}

}  // namespace

bool relative_to_own(const configs::Cgroup& config) {
  return !(config.path.empty() ? config.parent : config.path).starts_with('/');
}

std::string own_cgroup(std::string_view text, std::string_view key) {
  for (const std::string_view line : split(text, '\n')) {
    const size_t first = line.find(':');
    if (first == std::string_view::npos) continue;
    const size_t second = line.find(':', first + 1);
    if (second == std::string_view::npos) continue;
    const std::string_view keys = line.substr(first + 1, second - first - 1);
    const bool matches = key.empty() ? keys.empty() : has_option(keys, key);
    if (matches) return std::string(line.substr(second + 1));
  }
  return "";
}

std::map<std::string, std::string> container_paths(const configs::Cgroup& config,
                                                   const Layout& layout,
                                                   std::string_view own_cgroups) {
  const std::string inner = inner_path(config);
  std::map<std::string, std::string> paths;
  for (const Hierarchy& hierarchy : layout.hierarchies) {
    const std::string path = join(base_of(hierarchy, inner, layout.mode, own_cgroups), inner);
    if (inner.empty() || path == hierarchy.mount_point)
      throw Error("the cgroup of a container can't be the root of the hierarchy at " +
                  quote(hierarchy.mount_point))
          .field(kField);
    if (hierarchy.controllers.empty()) paths[hierarchy.name] = path;
    for (const std::string& controller : hierarchy.controllers) paths[controller] = path;
  }
  return paths;
}

}  // namespace hull::cgroups
