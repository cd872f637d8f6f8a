#include "cmd/hull/criu_options.h"

#include <sys/stat.h>

#include <array>
#include <cerrno>
#include <optional>

#include "cmd/hull/globals.h"
#include "libruntime/system/error.h"
#include "libruntime/system/text.h"

namespace hull::cmd {
namespace {

struct Switch {
  std::string_view name;
  bool CriuOptions::*member;
};
constexpr std::array kSwitches{
    Switch{"leave-running", &CriuOptions::leave_running},
    Switch{"pre-dump", &CriuOptions::pre_dump},
    Switch{"tcp-established", &CriuOptions::tcp_established},
    Switch{"tcp-skip-in-flight", &CriuOptions::tcp_skip_in_flight},
    Switch{"tcp-close", &CriuOptions::tcp_close},
    Switch{"link-remap", &CriuOptions::link_remap},
    Switch{"ext-unix-sk", &CriuOptions::external_unix_sockets},
    Switch{"shell-job", &CriuOptions::shell_job},
    Switch{"file-locks", &CriuOptions::file_locks},
    Switch{"auto-dedup", &CriuOptions::auto_dedup},
    Switch{"lazy-pages", &CriuOptions::lazy_pages},
};

struct CgroupsModeName {
  std::string_view name;
  CgroupsMode mode;
};
constexpr std::array kCgroupsModes{
    CgroupsModeName{"", CgroupsMode::by_default},   CgroupsModeName{"soft", CgroupsMode::soft},
    CgroupsModeName{"full", CgroupsMode::full},     CgroupsModeName{"strict", CgroupsMode::strict},
    CgroupsModeName{"ignore", CgroupsMode::ignore},
};

struct NetworkLockName {
  std::string_view name;
  NetworkLock lock;
};
constexpr std::array kNetworkLocks{
    NetworkLockName{"", NetworkLock::by_default},
    NetworkLockName{"iptables", NetworkLock::iptables},
    NetworkLockName{"nftables", NetworkLock::nftables},
    NetworkLockName{"skip", NetworkLock::skip},
};

CgroupsMode cgroups_mode(const std::string& text) {
  for (const CgroupsModeName& row : kCgroupsModes)
    if (row.name == text) return row.mode;
  throw Error("Invalid manage-cgroups-mode value").hint("it is soft, full, strict or ignore");
}

NetworkLock network_lock(const std::string& text) {
  for (const NetworkLockName& row : kNetworkLocks)
    if (row.name == text) return row.lock;
  throw Error("invalid network-lock value " + quote(text)).hint("it is iptables, nftables or skip");
}

void check_parent(const CriuOptions& options) {
  const std::string& parent = options.parent_images;
  if (parent.empty()) return;
  if (parent.starts_with('/')) throw Error("--parent-path must be relative");
  const std::string path = clean_path(options.images_directory + "/" + parent);
  struct stat info {};
  const int code = stat(path.c_str(), &info) != 0 ? errno : S_ISDIR(info.st_mode) ? 0 : ENOTDIR;
  if (code != 0) throw Error("invalid --parent-path: stat " + path, "", code);
}

// ADDRESS:PORT; an IPv6 address stands in brackets.
void set_page_server(CriuOptions& options, const std::string& text) {
  if (text.empty()) return;
  const size_t colon = text.rfind(':');
  std::string address = text.substr(0, colon == std::string::npos ? 0 : colon);
  if (address.starts_with('[') && address.ends_with(']'))
    address = address.substr(1, address.size() - 2);
  if (address.empty() || colon + 1 == text.size())
    throw Error("Use --page-server ADDRESS:PORT to specify page server");
  const auto port = parse_number<uint16_t>(std::string_view(text).substr(colon + 1));
  if (!port) throw Error("Invalid port number");
  options.page_server = address;
  options.page_server_port = *port;
}

void check_empty_namespaces(const std::vector<std::string>& names) {
  // The network is always left empty: its devices are not the runtime's to restore.
  for (const std::string& name : names)
    if (name != "network") throw Error("namespace " + quote(name) + " is not supported");
}

// Empty for an option that the command does not have.
std::string text_of(const Options& options, std::string_view name) {
  return options.knows(name) ? options.text(name) : "";
}

}  // namespace

CriuOptions criu_options(const Options& options) {
  CriuOptions out;
  for (const Switch& row : kSwitches)
    out.*row.member = options.knows(row.name) && options.flag(row.name);
  const std::string images = options.text("image-path");
  out.images_directory = absolute_path(images.empty() ? "checkpoint" : images);
  if (const std::string work = options.text("work-path"); !work.empty())
    out.work_directory = absolute_path(work);
  out.parent_images = text_of(options, "parent-path");
  check_parent(out);
  if (options.knows("status-fd")) out.status_fd = static_cast<int>(options.number("status-fd"));
  set_page_server(out, text_of(options, "page-server"));
  out.cgroups_mode = cgroups_mode(options.text("manage-cgroups-mode"));
  out.network_lock = network_lock(options.text("network-lock"));
  check_empty_namespaces(options.list("empty-ns"));
  out.lsm_profile = text_of(options, "lsm-profile");
  out.lsm_mount_context = text_of(options, "lsm-mount-context");
  return out;
}

}  // namespace hull::cmd
