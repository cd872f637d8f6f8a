#include "libruntime/state/state.h"

#include <nlohmann/json.hpp>

#include "libruntime/configs/config_json.h"
#include "libruntime/system/error.h"
#include "libruntime/system/process_stat.h"
#include "libruntime/system/text.h"

namespace hull::state {
namespace {

using nlohmann::json;

[[noreturn]] void refuse(const std::string& why) { throw Error("state.json is damaged: " + why); }

template <class T>
void read(const json& object, const char* key, T& out) {
  const auto it = object.find(key);
  if (it != object.end() && !it->is_null()) it->get_to(out);
}

void check(const State& state) {
  if (state.init_pid < 0 || state.init_pid == 1)
    refuse("init_process_pid " + std::to_string(state.init_pid));
  for (const auto& [name, path] : state.cgroup_paths)
    if (!path.starts_with('/') || clean_path(path) != path) refuse("cgroup path " + quote(path));
  // It is written to and removed.
  const std::string& rdt = state.intel_rdt_path;
  if (!rdt.empty() && (!rdt.starts_with('/') || clean_path(rdt) != rdt))
    refuse("intel_rdt_path " + quote(rdt));
}

}  // namespace

std::string to_json(const State& state) {
  const json head = {{"id", state.id},
                     {"init_process_pid", state.init_pid},
                     {"init_process_start", state.init_start_time},
                     {"created", state.created},
                     {"rootless", state.rootless},
                     {"cgroup_paths", state.cgroup_paths},
                     {"namespace_paths", state.namespace_paths},
                     {"external_descriptors", state.external_descriptors},
                     {"intel_rdt_path", state.intel_rdt_path}};
  std::string out = head.dump(-1, ' ', false, json::error_handler_t::replace);
  // The configuration, by far the larger part, is written without a tree.
  out.pop_back();
  return out + ",\"config\":" + configs::config_to_json(state.config) + "}";
}

State from_json(std::string_view text) {
  State out;
  try {
    const json in = json::parse(text);
    if (!in.is_object()) refuse("it is no object");
    read(in, "id", out.id);
    read(in, "init_process_pid", out.init_pid);
    read(in, "init_process_start", out.init_start_time);
    read(in, "created", out.created);
    read(in, "rootless", out.rootless);
    read(in, "cgroup_paths", out.cgroup_paths);
    read(in, "namespace_paths", out.namespace_paths);
    read(in, "external_descriptors", out.external_descriptors);
    read(in, "intel_rdt_path", out.intel_rdt_path);
    if (const auto config = in.find("config"); config != in.end() && config->is_object())
      configs::config_from_json(*config, out.config);
  } catch (const json::exception& e) {
    refuse(e.what());
  }
  check(out);
  return out;
}

std::string_view status_name(Status status) {
  switch (status) {
    case Status::created:
      return "created";
    case Status::running:
      return "running";
    case Status::paused:
      return "paused";
    case Status::stopped:
      return "stopped";
  }
  return "stopped";
}

bool init_alive(const State& state) {
  if (state.init_pid <= 0) return false;
  const auto stat = read_process_stat(state.init_pid);
  return stat && !stat->dead() && stat->start_time == state.init_start_time;
}

}  // namespace hull::state
