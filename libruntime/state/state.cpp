#include "libruntime/state/state.h"

#include <cerrno>
#include <nlohmann/json.hpp>
#include <optional>

#include "libruntime/configs/config_json.h"
#include "libruntime/configs/json_reader.h"
#include "libruntime/system/error.h"
#include "libruntime/system/process_stat.h"
#include "libruntime/system/syscalls.h"
#include "libruntime/system/text.h"

namespace hull::state {
namespace {

using nlohmann::json;

[[noreturn]] void refuse(const std::string& why) { throw Error("state.json is damaged: " + why); }

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

State from_json(std::string text) {
  using configs::reading::find, configs::reading::get, configs::reading::get_list;
  std::optional<JsonText> json;
  try {
    json.emplace(std::move(text));
  } catch (const Error& e) {
    refuse(e.message());
  }
  const JsonValue& in = json->root();
  if (!in.IsObject()) refuse("it is no object");
  State out;
  get(in, "id", out.id);
  get(in, "init_process_pid", out.init_pid);
  get(in, "init_process_start", out.init_start_time);
  get(in, "created", out.created);
  get(in, "rootless", out.rootless);
  configs::reading::get_map(in, "cgroup_paths", out.cgroup_paths);
  configs::reading::get_map(in, "namespace_paths", out.namespace_paths);
  get_list(in, "external_descriptors", out.external_descriptors);
  get(in, "intel_rdt_path", out.intel_rdt_path);
  if (const JsonValue* config = find(in, "config"); config != nullptr)
    configs::config_from_json(*config, out.config);
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

Fd open_init(const State& state) {
  if (state.init_pid <= 0) return Fd();
  Fd pidfd(sys::pidfd_open(state.init_pid, 0));
  // EINVAL: it is a thread's number by now.
  if (!pidfd && errno != ESRCH && errno != EINVAL)
    throw Error("cannot watch the container's init", "pidfd_open", errno);
  if (!pidfd || !init_alive(state)) return Fd();
  return pidfd;
}

}  // namespace hull::state
