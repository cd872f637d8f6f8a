#include "conformance/suite/needs.h"

#include <unistd.h>

#include <array>
#include <cstdlib>
#include <string_view>
#include <utility>

#include "conformance/container/host.h"
#include "libruntime/security/capabilities.h"
#include "libruntime/system/error.h"
#include "libruntime/system/files.h"
#include "libruntime/system/text.h"

namespace hull::conformance {
namespace {

bool is_v1(const std::string&) { return !in_cgroup_v2("memory"); }
bool is_v2(const std::string&) { return in_cgroup_v2("memory"); }
bool controller(const std::string& name) { return has_controller(name); }
bool file(const std::string& path) { return exists(path); }

bool capability(const std::string& name) {
  std::vector<std::string> unknown;
  const uint64_t wanted = security::capability_mask({name}, unknown);
  const std::string status = read_file("/proc/self/status");
  const size_t at = status.find("CapEff:\t");
  const auto held = parse_number<uint64_t>(status.substr(at + 8, 16), 16);
  return unknown.empty() && held && (*held & wanted) != 0;
}

bool command(const std::string& name) {
  const char* path = std::getenv("PATH");
  for (const std::string_view dir : split(path != nullptr ? path : "", ':'))
    if (access((std::string(dir) + "/" + name).c_str(), X_OK) == 0) return true;
  return false;
}

bool filesystem(const std::string& name) {
  return read_file("/proc/filesystems").find("\t" + name + "\n") != std::string::npos;
}

bool cpus(const std::string& count) {
  return sysconf(_SC_NPROCESSORS_ONLN) >= parse_number<long>(count).value_or(1);
}

bool apparmor(const std::string&) {
  return read_file_if_exists("/sys/module/apparmor/parameters/enabled").value_or("N")[0] == 'Y';
}

bool selinux(const std::string&) { return exists("/sys/fs/selinux/enforce"); }

bool criu(const std::string&) { return what_criu_lacks().empty(); }

struct Kind {
  std::string_view name;
  bool (*there)(const std::string& argument);
  std::string_view what;
};

constexpr std::array kKinds = {
    Kind{"v1", is_v1, "cgroup v1"},
    Kind{"v2", is_v2, "cgroup v2"},
    Kind{"cgroup", controller, "the cgroup controller"},
    Kind{"capability", capability, "the capability"},
    Kind{"file", file, "the file"},
    Kind{"command", command, "the command"},
    Kind{"filesystem", filesystem, "the file system"},
    Kind{"criu", criu, "a CRIU that works on this kernel"},
    Kind{"cpus", cpus, "CPUs:"},
    Kind{"apparmor", apparmor, "AppArmor"},
    Kind{"selinux", selinux, "SELinux"},
};

std::string lacks(const std::string& need) {
  const size_t colon = need.find(':');
  const std::string name = need.substr(0, colon);
  const std::string argument = colon == std::string::npos ? "" : need.substr(colon + 1);
  for (const Kind& kind : kKinds)
    if (kind.name == name)
      return kind.there(argument)
                 ? ""
                 : "needs " + std::string(kind.what) + (argument.empty() ? "" : " " + argument);
  throw Error("no such need: " + quote(need));
}

}  // namespace

std::string what_lacks(const std::vector<std::string>& needs) {
  for (const std::string& need : needs)
    if (std::string reason = lacks(need); !reason.empty()) return reason;
  return "";
}

}  // namespace hull::conformance
