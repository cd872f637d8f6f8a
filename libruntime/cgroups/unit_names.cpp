#include "libruntime/cgroups/unit_names.h"

#include "libruntime/system/error.h"
#include "libruntime/system/text.h"

namespace hull::cgroups {
namespace {

constexpr std::string_view kField = "/linux/cgroupsPath";
constexpr std::string_view kSlice = ".slice";

}  // namespace

std::string unit_name(const configs::Cgroup& config) {
  if (config.name.empty() || config.name.find('/') != std::string::npos)
    throw Error(quote(config.name) + " is no name of a systemd unit").field(kField);
  if (config.name.ends_with(kSlice)) return config.name;
  return config.scope_prefix + "-" + config.name + ".scope";
}

std::string slice_name(const configs::Cgroup& config) {
  if (config.parent.empty()) return config.rootless ? "user.slice" : "system.slice";
  return config.parent == "-" ? "-.slice" : config.parent;
}

std::string slice_path(std::string_view slice) {
  const auto refuse = [&] {
    throw Error("invalid slice name: " + std::string(slice)).field(kField);
  };
  if (slice.size() <= kSlice.size() || !slice.ends_with(kSlice) ||
      slice.find('/') != std::string_view::npos)
    refuse();
  const std::string_view name = slice.substr(0, slice.size() - kSlice.size());
  if (name == "-") return "";
  std::string path;
  std::string inner;
  for (const std::string_view part : split(name, '-')) {
    if (part.empty()) refuse();
    inner += (inner.empty() ? "" : "-") + std::string(part);
    path += "/" + inner + std::string(kSlice);
  }
  return path;
}

std::string unit_directory(const std::string& dir, const std::string& unit) {
  const size_t at = (dir + "/").find("/" + unit + "/");
  return at == std::string::npos ? dir : dir.substr(0, at + 1 + unit.size());
}

}  // namespace hull::cgroups
