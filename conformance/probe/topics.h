#pragma once

#include <nlohmann/json.hpp>
#include <span>
#include <string>
#include <string_view>
#include <vector>

// What the probe can look at. A topic with keys looks only at those ("files:/dev/null"); without
// keys it gives all, or nothing where "all" has no end.
namespace hull::probe {

using Json = nlohmann::json;
using Keys = std::vector<std::string>;

struct Topic {
  std::string_view name;
  Json (*look)(const Keys& keys);
};

std::span<const Topic> topics();

// errno by its name ("EPERM").
std::string errno_name(int code);

// process.cpp: who the process is, and what it was given.
Json user(const Keys&);
Json capabilities(const Keys&);
Json rlimits(const Keys&);
Json environment(const Keys&);
Json descriptors(const Keys&);
Json process(const Keys&);
Json terminal(const Keys&);

// kernel.cpp: how the kernel runs it, and what of the kernel it sees.
Json namespaces(const Keys&);
Json host_names(const Keys&);
Json cgroup(const Keys&);
Json scheduler(const Keys&);
Json keyring(const Keys&);
Json sysctl(const Keys& names);
Json interfaces(const Keys&);
Json maps(const Keys&);

// files.cpp: mounts and single files.
Json mounts(const Keys&);
Json files(const Keys& paths);

// verdicts.cpp: what becomes of a system call, "NAME" or "NAME(ARG,...)".
Json verdicts(const Keys& calls);

}  // namespace hull::probe
