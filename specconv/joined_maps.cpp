#include "specconv/joined_maps.h"

#include <fcntl.h>

#include <algorithm>
#include <cerrno>

#include "libruntime/system/error.h"
#include "libruntime/system/files.h"
#include "libruntime/system/text.h"
#include "libruntime/system/user_namespace.h"
#include "specconv/problem.h"

namespace hull::specconv {
namespace {

using Maps = std::vector<configs::IdMap>;

// Sorted, with neighbours joined.
Maps normal(Maps maps) {
  std::ranges::sort(maps, {}, &configs::IdMap::container_id);
  Maps out;
  for (const configs::IdMap& map : maps) {
    if (!out.empty() && out.back().container_id + out.back().size == map.container_id &&
        out.back().host_id + out.back().size == map.host_id) {
      out.back().size += map.size;
    } else {
      out.push_back(map);
    }
  }
  return out;
}

void adopt(Maps& given, Maps found, const char* field) {
  if (!given.empty() && !same_maps(given, found)) {
    throw Error(
        "user namespaces enabled, but both namespace path and non-matching mapping specified -- "
        "you may only provide one")
        .field(field);
  }
  given = std::move(found);
}

}  // namespace

Maps parse_id_map(std::string_view text) {
  Maps out;
  for (const std::string_view line : split(trim(text), '\n')) {
    std::vector<uint32_t> numbers;
    for (const std::string_view word : split(line, ' ')) {
      if (word.empty()) continue;
      const auto number = parse_number<uint32_t>(word);
      if (!number) throw Error("not a map of IDs: " + quote(line));
      numbers.push_back(*number);
    }
    if (numbers.empty()) continue;
    if (numbers.size() != 3) throw Error("not a map of IDs: " + quote(line));
    out.push_back({numbers[0], numbers[1], numbers[2]});
  }
  return out;
}

bool same_maps(const Maps& a, const Maps& b) {
  return std::ranges::equal(normal(a), normal(b), [](const auto& one, const auto& other) {
    return one.container_id == other.container_id && one.host_id == other.host_id &&
           one.size == other.size;
  });
}

void read_joined_maps(Linux& container) {
  const auto user = std::ranges::find(container.namespaces, configs::NamespaceType::user,
                                      &configs::Namespace::type);
  if (user == container.namespaces.end() || user->path.empty()) return;
  try {
    const Fd ns = open_or_throw(AT_FDCWD, user->path, O_RDONLY);
    const UserNamespaceHolder holder(ns.get());
    adopt(container.uid_mappings, parse_id_map(read_file_at(holder.directory(), "uid_map")),
          "/linux/uidMappings");
    adopt(container.gid_mappings, parse_id_map(read_file_at(holder.directory(), "gid_map")),
          "/linux/gidMappings");
  } catch (Error& e) {
    e.set_stage("reading the ID maps of the user namespace " + quote(user->path));
    e.set_field(pointer_to("/linux/namespaces",
                           static_cast<size_t>(user - container.namespaces.begin()), "path"));
    if (e.code() == EINVAL) e.set_hint("is it a user namespace, and another than the caller's?");
    throw;
  }
}

}  // namespace hull::specconv
