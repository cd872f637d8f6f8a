#include "libruntime/state/oci_state.h"

#include <nlohmann/json.hpp>

#include "libruntime/version.h"

namespace hull::state {
namespace {

using nlohmann::ordered_json;

constexpr std::string_view kBundle = "bundle=";

ordered_json annotations_of(const configs::Config& config) {
  ordered_json out = ordered_json::object();
  for (const std::string& label : config.labels) {
    const size_t equals = label.find('=');
    if (equals != std::string::npos && !label.starts_with(kBundle))
      out[label.substr(0, equals)] = label.substr(equals + 1);
  }
  return out;
}

std::string dump(const ordered_json& value, int indent) {
  return value.dump(indent, ' ', false, ordered_json::error_handler_t::replace);
}

ordered_json spec_object(const configs::Config& config, const std::string& id,
                         std::string_view status, const ordered_json& pid) {
  ordered_json out = {{"ociVersion", config.version.empty() ? kSpecVersion : config.version},
                      {"id", id},
                      {"status", status},
                      {"pid", pid},
                      {"bundle", bundle_of(config)}};
  if (auto annotations = annotations_of(config); !annotations.empty())
    out["annotations"] = std::move(annotations);
  return out;
}

}  // namespace

std::string bundle_of(const configs::Config& config) {
  for (const std::string& label : config.labels)
    if (label.starts_with(kBundle)) return label.substr(kBundle.size());
  return {};
}

std::optional<std::string> annotation_of(const configs::Config& config, std::string_view name) {
  for (const std::string& label : config.labels)
    if (label.starts_with(name) && label.size() > name.size() && label[name.size()] == '=')
      return label.substr(name.size() + 1);
  return std::nullopt;
}

std::string spec_state(const configs::Config& config, const std::string& id,
                       std::string_view status, std::string_view pid) {
  // The pid may be a mark: put in as text, not as a JSON string.
  const std::string mark = "\"@\"";
  std::string text = dump(spec_object(config, id, status, "@"), -1);
  text.replace(text.find("\"pid\":" + mark) + 6, mark.size(), pid);
  return text;
}

std::string listener_state(const configs::Config& config, const std::string& id, pid_t pid,
                           pid_t init_pid) {
  const char* status = pid == init_pid ? "creating" : "running";
  ordered_json out = {{"ociVersion", kSpecVersion},
                      {"fds", {"seccompFd"}},
                      {"pid", pid},
                      {"state", spec_object(config, id, status, init_pid)}};
  if (config.seccomp && !config.seccomp->listener_metadata.empty())
    out["metadata"] = config.seccomp->listener_metadata;
  return dump(out, -1);
}

std::string query_state(const State& state, Status status, std::string_view owner) {
  const pid_t pid = status == Status::stopped ? 0 : state.init_pid;
  ordered_json out = {
      {"ociVersion", state.config.version.empty() ? kSpecVersion : state.config.version},
      {"id", state.id},
      {"pid", pid},
      {"status", status_name(status)},
      {"bundle", bundle_of(state.config)},
      {"rootfs", state.config.rootfs},
      {"created", state.created}};
  if (auto annotations = annotations_of(state.config); !annotations.empty())
    out["annotations"] = std::move(annotations);
  out["owner"] = owner;
  return dump(out, 2);
}

}  // namespace hull::state
