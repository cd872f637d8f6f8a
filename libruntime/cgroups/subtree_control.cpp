#include "libruntime/cgroups/subtree_control.h"

#include <algorithm>
#include <cerrno>
#include <map>

#include "libruntime/cgroups/cgroup_file.h"
#include "libruntime/system/error.h"

namespace hull::cgroups {
namespace {

using Names = std::vector<std::string>;

constexpr std::string_view kAvailable = "cgroup.controllers";
constexpr std::string_view kEnabled = "cgroup.subtree_control";

bool has(const Names& names, std::string_view name) {
  return std::ranges::find(names, name) != names.end();
}

bool has_all(const Names& names, const Names& wanted) {
  return std::ranges::all_of(wanted, [&](const std::string& name) { return has(names, name); });
}

struct Refusal {
  std::string dir;
  int code = 0;  // 0: the cgroup itself does not have it
};
using Refusals = std::map<std::string, Refusal>;

void enable_at(const std::string& dir, const Names& wanted, Refusals& refusals) {
  const Names available = read_words(dir, kAvailable);
  const Names enabled = read_words(dir, kEnabled);
  Names missing;
  for (const std::string& name : wanted) {
    if (has(enabled, name)) continue;
    if (has(available, name)) {
      missing.push_back(name);
    } else {
      refusals.try_emplace(name, Refusal{dir, 0});
    }
  }
  if (missing.empty()) return;
  std::string all;
  for (const std::string& name : missing) all += (all.empty() ? "+" : " +") + name;
  if (try_write(dir, kEnabled, all) == 0) return;
  // One that can't be had ("+cpu" where there are real-time processes) takes the others with it.
  for (const std::string& name : missing)
    if (const int code = try_write(dir, kEnabled, "+" + name))
      refusals.try_emplace(name, Refusal{dir, code});
}

Refusals enable_along(const std::string& root, const std::string& dir, const Names& wanted) {
  Refusals refusals;
  for (size_t end = root.size(); end != std::string::npos && end < dir.size();
       end = dir.find('/', end + 1))
    enable_at(dir.substr(0, end), wanted, refusals);
  return refusals;
}

[[noreturn]] void throw_unavailable(const NeededController& needed, const Refusals& refusals,
                                    const std::string& root) {
  const auto refusal = refusals.find(needed.name);
  const Refusal where = refusal != refusals.end() ? refusal->second : Refusal{root, 0};
  if (where.code == 0)
    throw Error("the " + needed.name + " controller is not available: it is not in " +
                quote(where.dir + "/cgroup.controllers"))
        .field(needed.field)
        .hint(where.dir == root ? "a v1 hierarchy or the kernel's command line may have taken it"
                                : "it is not delegated to this cgroup");
  Error error("the " + needed.name + " controller can't be enabled in " +
                  quote(where.dir + "/cgroup.subtree_control"),
              "write", where.code);
  error.set_field(needed.field);
  if (where.code == EBUSY)
    error.set_hint("that cgroup holds processes itself; move them into a cgroup below it");
  if (where.code == EINVAL && needed.name == "cpu")
    error.set_hint("real-time processes outside of the root cgroup prevent it");
  if (where.code == EOPNOTSUPP) error.set_hint("that cgroup is threaded");
  throw error;
}

// A controller that works on whole processes can't be used among threads.
void settle_type(const std::string& dir, const std::vector<NeededController>& needed) {
  const std::string type = read_value(dir, "cgroup.type").value_or("domain");
  if (type == "domain" || type == "domain threaded") return;
  for (const NeededController& one : needed) {
    if (one.threaded) continue;
    const bool invalid = type == "domain invalid";
    throw Error("cannot enter cgroupv2 " + quote(dir) + " with domain controllers (" + one.name +
                ") -- it is in " + (invalid ? "an invalid state" : type + " mode"))
        .field(one.field);
  }
  if (type == "domain invalid") write_value(dir, "cgroup.type", "threaded", "/linux/cgroupsPath");
}

}  // namespace

std::vector<std::string> enable_controllers(const std::string& root, const std::string& dir,
                                            Enable which,
                                            const std::vector<NeededController>& needed) {
  Names wanted;
  if (which == Enable::all) wanted = read_words(root, kAvailable);
  for (const NeededController& one : needed)
    if (!has(wanted, one.name)) wanted.push_back(one.name);
  Names own = read_words(dir, kAvailable);
  // A cgroup with a domain controller can't be threaded.
  const bool domain = has(own, "memory") || has(own, "io");
  if (domain && has_all(own, wanted)) return own;
  const Refusals refusals = enable_along(root, dir, wanted);
  settle_type(dir, needed);
  own = read_words(dir, kAvailable);
  for (const NeededController& one : needed)
    if (!has(own, one.name)) throw_unavailable(one, refusals, root);
  return own;
}

}  // namespace hull::cgroups
