#include "cmd/hull/legacy_container.h"

#include <dirent.h>

#include <memory>
#include <string_view>

#include "cmd/hull/globals.h"
#include "libruntime/launch/process_defaults.h"
#include "libruntime/system/error.h"
#include "libruntime/system/files.h"

namespace hull::cmd {
namespace {

bool holds_nothing_else(const std::string& directory) {
  const std::unique_ptr<DIR, int (*)(DIR*)> dir(opendir(directory.c_str()), closedir);
  if (!dir) return false;
  while (const dirent* entry = readdir(dir.get())) {
    const std::string_view name = entry->d_name;
    if (name != "." && name != ".." && name != kContainerFile && name != kPidFile &&
        name != kStartFile)
      return false;
  }
  return true;
}

}  // namespace

LegacyContainer load_legacy_container(const std::string& file) {
  const std::string path = absolute_path(file);
  LegacyContainer out;
  const auto text = read_file_if_exists(path);
  if (!text) throw Error("there is no container.json at " + quote(path));
  out.text = *text;
  out.container = specconv::legacy::parse(out.text);
  out.directory = absolute_path(path + "/..");
  out.rootfs = holds_nothing_else(out.directory) ? absolute_path(".") : out.directory;
  return out;
}

std::string legacy_config_json(const LegacyContainer& legacy, std::vector<std::string> args,
                               bool systemd_cgroup) {
  specconv::legacy::Start start;
  start.root_path = legacy.rootfs == absolute_path(".") ? "." : legacy.rootfs;
  start.args = std::move(args);
  configs::Process process;
  launch::look_up_user(process, legacy.container.user, legacy.rootfs);
  start.user = {process.uid, process.gid, process.additional_gids};
  start.systemd_cgroup = systemd_cgroup;
  return specconv::legacy::to_config_json(legacy.container, start);
}

}  // namespace hull::cmd
