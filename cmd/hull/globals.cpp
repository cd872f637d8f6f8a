#include "cmd/hull/globals.h"

#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <memory>

#include "cmd/hull/logger.h"
#include "libruntime/system/error.h"
#include "libruntime/system/files.h"
#include "libruntime/system/text.h"

namespace hull::cmd {
namespace {

constexpr char kDefaultRoot[] = "/run/hull";

constexpr Option kOptions[] = {
    {"debug", "", OptionKind::flag, "enable debug logging"},
    {"log", "", OptionKind::text,
     "set the log file to write hull logs to (default is '/dev/stderr'); also 'file:PATH', "
     "'journald:IDENT' or 'syslog:IDENT'"},
    {"log-format", "", OptionKind::text, "set the log format ('text' or 'json')", "text"},
    {"log-level", "", OptionKind::text, "set the log level ('error', 'warning', 'info' or 'debug')",
     "info"},
    {"root", "", OptionKind::text,
     "root directory for storage of container state (this should be located in tmpfs)",
     kDefaultRoot},
    {"systemd-cgroup", "", OptionKind::flag,
     "use systemd to manage cgroups: cgroupsPath is then \"slice:prefix:name\""},
    {"cgroup-manager", "", OptionKind::text,
     "set the cgroup manager ('cgroupfs', 'systemd' or 'disabled')", "cgroupfs"},
    {"rootless", "", OptionKind::text,
     "ignore cgroup permission errors ('true', 'false', or 'auto')", "auto"},
    {"criu", "", OptionKind::text, "accepted for old callers and ignored", "", true},
};

// user_namespaces(7): the initial one maps all IDs to themselves.
bool in_user_namespace() {
  const auto map = read_value_if_exists("/proc/self/uid_map");
  if (!map) return false;
  std::vector<uint64_t> numbers;
  for (const std::string_view word : split(trim(*map), ' '))
    if (const auto number = parse_number<uint64_t>(word)) numbers.push_back(*number);
  return numbers != std::vector<uint64_t>{0, 0, 4294967295};
}

// $XDG_RUNTIME_DIR when it is to be used: by users without privileges, and by those who are root
// only in a user namespace of theirs. Real root keeps to /run.
std::string user_runtime_directory() {
  const char* directory = getenv("XDG_RUNTIME_DIR");
  if (directory == nullptr || *directory == '\0') return {};
  if (geteuid() == 0) {
    if (!in_user_namespace()) return {};
    const char* user = getenv("USER");
    if (user != nullptr && std::string_view(user) == "root") return {};
  }
  return directory;
}

std::string default_root() {
  const std::string runtime = user_runtime_directory();
  if (runtime.empty()) return kDefaultRoot;
  const std::string root = absolute_path(runtime + "/hull");
  make_directories(root, 0700);
  // Sticky: the XDG base directory specification lets other files there be removed after 6 hours.
  if (chmod(root.c_str(), 0700 | S_ISVTX) != 0)
    throw Error("cannot set the mode of the state root " + quote(root), "chmod", errno);
  return root;
}

std::optional<bool> parse_rootless(const std::string& text) {
  if (text.empty() || strcasecmp(text.c_str(), "auto") == 0) return std::nullopt;
  try {
    return parse_bool(text);
  } catch (const std::invalid_argument&) {
    throw Error("invalid --rootless value " + quote(text)).hint("use true, false or auto");
  }
}

void read_cgroup_manager(const Options& options, Globals& out) {
  const std::string manager = options.text("cgroup-manager");
  if (manager != "cgroupfs" && manager != "systemd" && manager != "disabled")
    throw Error("cgroup manager " + quote(manager) + " is not supported")
        .hint("use cgroupfs, systemd or disabled");
  out.no_cgroups = manager == "disabled";
  out.systemd_cgroup = options.flag("systemd-cgroup") || manager == "systemd";
  if (out.no_cgroups && out.systemd_cgroup)
    throw Error("--systemd-cgroup and --cgroup-manager disabled exclude each other");
}

}  // namespace

std::span<const Option> global_options() { return kOptions; }

std::string absolute_path(const std::string& path) {
  if (path.starts_with('/')) return clean_path(path);
  const std::unique_ptr<char, decltype(&free)> here(get_current_dir_name(), &free);
  if (!here) throw Error("cannot tell the current directory", "getcwd", errno);
  // getcwd(3): a directory that is not below the process's root.
  if (*here.get() != '/') throw Error("the current directory is out of reach");
  return clean_path(std::string(here.get()) + "/" + path);
}

bool Globals::rootless_cgroups() const {
  return rootless_option ? *rootless_option : geteuid() != 0 || in_user_namespace();
}

Globals read_globals(const Options& options) {
  Globals out;
  out.root_given = options.given("root");
  if (out.root_given) {
    out.root = absolute_path(options.text("root"));
    if (out.root == "/") throw Error("Option --root argument should not be set to /");
  } else {
    out.root = default_root();
  }
  read_cgroup_manager(options, out);
  out.rootless_option = parse_rootless(options.text("rootless"));
  return out;
}

void set_up_logger(const Options& options) {
  const std::string format = options.text("log-format");
  if (format != "text" && format != "json") throw Error("invalid log-format: " + format);
  set_log_format(format == "json" ? LogFormat::json : LogFormat::text);
  const auto level = parse_log_level(options.text("log-level"));
  if (!level)
    throw Error("invalid log-level: " + options.text("log-level"))
        .hint("use error, warning, info or debug");
  log::set_level(options.flag("debug") ? log::Level::debug : *level);
  if (const std::string path = options.text("log"); !path.empty()) open_log(path);
}

}  // namespace hull::cmd
