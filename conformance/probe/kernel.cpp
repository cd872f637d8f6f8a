#include <fcntl.h>
#include <ifaddrs.h>
#include <linux/keyctl.h>
#include <linux/mempolicy.h>
#include <net/if.h>
#include <netdb.h>
#include <netinet/in.h>
#include <sched.h>
#include <sys/personality.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <climits>
#include <string>
#include <utility>

#include "conformance/probe/topics.h"
#include "libruntime/system/files.h"
#include "libruntime/system/text.h"

namespace hull::probe {
namespace {

// sched_setattr(2); <linux/sched/types.h> and <sched.h> can not be included together.
struct SchedulerAttributes {
  uint32_t size;
  uint32_t policy;
  uint64_t flags;
  int32_t nice;
  uint32_t priority;
  uint64_t runtime;
  uint64_t deadline;
  uint64_t period;
  uint32_t clamp_min;
  uint32_t clamp_max;
};

template <class Names>
std::string name_of(const Names& names, int number) {
  for (const auto& [value, name] : names)
    if (value == number) return name;
  return std::to_string(number);
}

constexpr std::array<std::pair<int, const char*>, 6> kPolicies = {{{0, "SCHED_OTHER"},
                                                                   {1, "SCHED_FIFO"},
                                                                   {2, "SCHED_RR"},
                                                                   {3, "SCHED_BATCH"},
                                                                   {5, "SCHED_IDLE"},
                                                                   {6, "SCHED_DEADLINE"}}};
constexpr std::array<std::pair<int, const char*>, 4> kIoClasses = {
    {{0, "none"}, {1, "IOPRIO_CLASS_RT"}, {2, "IOPRIO_CLASS_BE"}, {3, "IOPRIO_CLASS_IDLE"}}};
constexpr std::array<std::pair<int, const char*>, 7> kMemoryModes = {
    {{MPOL_DEFAULT, "MPOL_DEFAULT"},
     {MPOL_PREFERRED, "MPOL_PREFERRED"},
     {MPOL_BIND, "MPOL_BIND"},
     {MPOL_INTERLEAVE, "MPOL_INTERLEAVE"},
     {MPOL_LOCAL, "MPOL_LOCAL"},
     {5, "MPOL_PREFERRED_MANY"},
     {6, "MPOL_WEIGHTED_INTERLEAVE"}}};

Json id_map(const char* file) {
  Json ranges = Json::array();
  const std::string text = read_file(file);
  for (const std::string_view line : split(trim(text), '\n')) {
    Json range = Json::array();
    for (const std::string_view word : split(line, ' '))
      if (!word.empty()) range.push_back(parse_number<uint64_t>(word).value());
    ranges.push_back(range);
  }
  return ranges;
}

std::string affinity() {
  cpu_set_t cpus;
  if (sched_getaffinity(0, sizeof cpus, &cpus) != 0) return errno_name(errno);
  std::string list;
  for (int cpu = 0; cpu < CPU_SETSIZE; ++cpu)
    if (CPU_ISSET(cpu, &cpus)) list += (list.empty() ? "" : ",") + std::to_string(cpu);
  return list;
}

}  // namespace

Json namespaces(const Keys&) {
  Json all = Json::object();
  for (const char* type : {"cgroup", "ipc", "mnt", "net", "pid", "time", "user", "uts"}) {
    std::array<char, 128> text{};
    const std::string path = std::string("/proc/self/ns/") + type;
    const ssize_t size = readlink(path.c_str(), text.data(), text.size());
    all[type] = size > 0 ? std::string(text.data(), static_cast<size_t>(size)) : errno_name(errno);
  }
  return all;
}

Json host_names(const Keys&) {
  utsname names{};
  uname(&names);
  return {
      {"hostname", names.nodename}, {"domainname", names.domainname}, {"machine", names.machine}};
}

// Controllers (v1), "" (v2) or the hierarchy's name to the path in /proc/self/cgroup.
Json cgroup(const Keys&) {
  Json all = Json::object();
  const std::string text = read_file("/proc/self/cgroup");
  for (const std::string_view line : split(trim(text), '\n')) {
    const size_t first = line.find(':');
    const size_t second = line.find(':', first + 1);
    all[std::string(line.substr(first + 1, second - first - 1))] =
        std::string(line.substr(second + 1));
  }
  return all;
}

Json scheduler(const Keys&) {
  SchedulerAttributes attributes{};
  Json seen = Json::object();
  if (syscall(SYS_sched_getattr, 0, &attributes, sizeof attributes, 0) == 0)
    seen = {{"policy", name_of(kPolicies, static_cast<int>(attributes.policy))},
            {"flags", attributes.flags},
            {"nice", attributes.nice},
            {"priority", attributes.priority},
            {"runtime", attributes.runtime},
            {"deadline", attributes.deadline},
            {"period", attributes.period}};
  const long io = syscall(SYS_ioprio_get, 1 /* IOPRIO_WHO_PROCESS */, 0);
  if (io >= 0) {
    seen["io_class"] = name_of(kIoClasses, static_cast<int>(io >> 13));
    seen["io_priority"] = io & 0x1fff;
  }
  const int persona = ::personality(0xffffffff);
  seen["personality"] = (persona & PER_MASK) == PER_LINUX32 ? "LINUX32"
                        : (persona & PER_MASK) == PER_LINUX ? "LINUX"
                                                            : std::to_string(persona);
  int mode = 0;
  std::array<unsigned long, 16> nodes{};
  if (syscall(SYS_get_mempolicy, &mode, nodes.data(), nodes.size() * 64, nullptr, 0) == 0) {
    constexpr int kFlags = 0xe000;  // MPOL_MODE_FLAGS
    seen["memory_mode"] = name_of(kMemoryModes, mode & ~kFlags);
    seen["memory_flags"] = mode & kFlags;
    seen["memory_nodes"] = nodes[0];
  }
  seen["affinity"] = affinity();
  return seen;
}

// Of the session keyring: its description, without the serial number.
Json keyring(const Keys&) {
  std::array<char, 256> text{};
  const long serial = syscall(SYS_keyctl, KEYCTL_GET_KEYRING_ID, KEY_SPEC_SESSION_KEYRING, 0, 0, 0);
  if (serial < 0) return {{"session", nullptr}, {"error", errno_name(errno)}};
  const long size = syscall(SYS_keyctl, KEYCTL_DESCRIBE, serial, text.data(), text.size(), 0);
  if (size < 0) return {{"session", nullptr}, {"error", errno_name(errno)}};
  const auto fields = split(text.data(), ';');  // type;uid;gid;perm;description
  return {{"session", std::string(fields.back())},
          {"permissions", std::string(fields.size() > 3 ? fields[3] : "")}};
}

Json sysctl(const Keys& names) {
  Json all = Json::object();
  for (const std::string& name : names) {
    std::string path = "/proc/sys/" + name;
    for (size_t at = 10; at < path.size(); ++at)
      if (path[at] == '.') path[at] = '/';
    const auto value = read_file_if_exists(path);
    all[name] = value ? Json(std::string(trim(*value))) : Json(nullptr);
  }
  return all;
}

Json interfaces(const Keys&) {
  Json all = Json::object();
  ifaddrs* first = nullptr;
  if (getifaddrs(&first) != 0) return {{"error", errno_name(errno)}};
  for (const ifaddrs* entry = first; entry != nullptr; entry = entry->ifa_next) {
    Json& interface = all[entry->ifa_name];
    interface["up"] = (entry->ifa_flags & IFF_UP) != 0;
    if (!interface.contains("addresses")) interface["addresses"] = Json::array();
    if (entry->ifa_addr == nullptr) continue;
    const int family = entry->ifa_addr->sa_family;
    if (family != AF_INET && family != AF_INET6) continue;
    const auto size =
        static_cast<socklen_t>(family == AF_INET ? sizeof(sockaddr_in) : sizeof(sockaddr_in6));
    std::array<char, NI_MAXHOST> text{};
    if (getnameinfo(entry->ifa_addr, size, text.data(), text.size(), nullptr, 0, NI_NUMERICHOST) ==
        0)
      interface["addresses"].push_back(text.data());
  }
  freeifaddrs(first);
  return all;
}

// Of the user namespace, and the offsets of the time namespace.
Json maps(const Keys&) {
  Json seen = {
      {"uid", id_map("/proc/self/uid_map")},
      {"gid", id_map("/proc/self/gid_map")},
      {"setgroups", std::string(trim(read_file_if_exists("/proc/self/setgroups").value_or("")))}};
  const std::string offsets = read_file_if_exists("/proc/self/timens_offsets").value_or("");
  for (const std::string_view line : split(trim(offsets), '\n')) {
    std::vector<std::string> words;
    for (const std::string_view word : split(line, ' '))
      if (!word.empty()) words.emplace_back(word);
    if (words.size() == 3)
      seen[words[0]] = {{"secs", parse_number<int64_t>(words[1]).value()},
                        {"nanosecs", parse_number<int64_t>(words[2]).value()}};
  }
  return seen;
}

}  // namespace hull::probe
