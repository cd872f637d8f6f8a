#include "libruntime/launch/sub_cgroup.h"

#include <unistd.h>

#include <cerrno>
#include <set>

#include "libruntime/system/error.h"
#include "libruntime/system/text.h"

namespace hull::launch {
namespace {

std::string below(const std::string& base, std::string_view sub) {
  // By component, never by prefix: "../c1x" is no part of "c1".
  std::string path = clean_path(base + "/" + std::string(sub));
  if (!path_is_below(path, base))
    throw Error("sub-cgroup " + quote(sub) + " is not below the container's cgroup");
  return path;
}

}  // namespace

std::map<std::string, std::string> sub_cgroup_paths(const std::map<std::string, std::string>& paths,
                                                    const std::vector<std::string>& specs) {
  std::map<std::string, std::string> out = paths;
  std::set<std::string, std::less<>> named;
  for (const std::string& spec : specs) {
    const size_t colon = spec.find(':');
    if (colon == std::string::npos) {
      if (specs.size() > 1)
        throw Error("a sub-cgroup without controllers must be the only one: " + quote(spec));
      for (auto& [controller, path] : out) path = below(path, spec);
      continue;
    }
    for (const std::string_view controller : split(std::string_view(spec).substr(0, colon), ',')) {
      const auto it = out.find(std::string(controller));
      if (controller.empty() || it == out.end())
        throw Error("unknown controller " + quote(controller) + " in sub-cgroup " + quote(spec));
      if (!named.insert(std::string(controller)).second)
        throw Error("controller " + quote(controller) + " is named twice");
      it->second = below(it->second, std::string_view(spec).substr(colon + 1));
    }
  }
  return out;
}

void require_directories(const std::map<std::string, std::string>& paths) {
  for (const auto& [controller, path] : paths)
    if (access(path.c_str(), F_OK) != 0)
      throw Error("sub-cgroup " + quote(path) + " is not there", "access", errno)
          .hint("exec --cgroup takes cgroups that exist");
}

}  // namespace hull::launch
