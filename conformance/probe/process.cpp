#include <dirent.h>
#include <fcntl.h>
#include <grp.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>
#include <csignal>
#include <string>
#include <utility>

#include "conformance/probe/topics.h"
#include "libruntime/security/capabilities.h"
#include "libruntime/system/error.h"
#include "libruntime/system/files.h"
#include "libruntime/system/signals.h"
#include "libruntime/system/text.h"

extern char** environ;

namespace hull::probe {
namespace {

// The value of a line "NAME:\tVALUE" of /proc/self/status.
std::string status_field(std::string_view name) {
  const std::string status = read_file("/proc/self/status");
  for (const std::string_view line : split(status, '\n'))
    if (line.starts_with(name) && line.substr(name.size()).starts_with(":"))
      return std::string(trim(line.substr(name.size() + 1)));
  return "";
}

Json capability_set(std::string_view field) {
  const uint64_t mask = parse_number<uint64_t>(status_field(field), 16).value_or(0);
  Json names = Json::array();
  const auto known = security::capability_names();
  for (unsigned bit = 0; bit < 64; ++bit)
    if ((mask >> bit & 1) != 0)
      names.push_back(bit < known.size() ? std::string(known[bit]) : std::to_string(bit));
  return names;
}

Json signal_set(std::string_view field) {
  const uint64_t mask = parse_number<uint64_t>(status_field(field), 16).value_or(0);
  Json names = Json::array();
  for (int signal = 1; signal < 32; ++signal)
    if ((mask >> (signal - 1) & 1) != 0) names.push_back(std::string(signal_name(signal)));
  return names;
}

std::string link_target(const std::string& path) {
  std::array<char, PATH_MAX> text{};
  const ssize_t size = readlink(path.c_str(), text.data(), text.size());
  return size < 0 ? errno_name(errno) : std::string(text.data(), static_cast<size_t>(size));
}

// Of AppArmor or SELinux; "" where the kernel has neither (EINVAL).
std::string security_label() {
  try {
    return std::string(trim(read_file_if_exists("/proc/self/attr/current").value_or("")));
  } catch (const Error&) {
    return "";
  }
}

constexpr std::array<std::pair<const char*, int>, 16> kRlimits = {{
    {"RLIMIT_AS", RLIMIT_AS},
    {"RLIMIT_CORE", RLIMIT_CORE},
    {"RLIMIT_CPU", RLIMIT_CPU},
    {"RLIMIT_DATA", RLIMIT_DATA},
    {"RLIMIT_FSIZE", RLIMIT_FSIZE},
    {"RLIMIT_LOCKS", RLIMIT_LOCKS},
    {"RLIMIT_MEMLOCK", RLIMIT_MEMLOCK},
    {"RLIMIT_MSGQUEUE", RLIMIT_MSGQUEUE},
    {"RLIMIT_NICE", RLIMIT_NICE},
    {"RLIMIT_NOFILE", RLIMIT_NOFILE},
    {"RLIMIT_NPROC", RLIMIT_NPROC},
    {"RLIMIT_RSS", RLIMIT_RSS},
    {"RLIMIT_RTPRIO", RLIMIT_RTPRIO},
    {"RLIMIT_RTTIME", RLIMIT_RTTIME},
    {"RLIMIT_SIGPENDING", RLIMIT_SIGPENDING},
    {"RLIMIT_STACK", RLIMIT_STACK},
}};

}  // namespace

Json user(const Keys&) {
  std::array<gid_t, 1024> groups{};
  const int count = getgroups(static_cast<int>(groups.size()), groups.data());
  const mode_t mask = umask(0);
  umask(mask);
  return {{"uid", getuid()},
          {"gid", getgid()},
          {"euid", geteuid()},
          {"egid", getegid()},
          {"groups", Keys::size_type(count) > 0
                         ? Json(std::vector<gid_t>(groups.begin(), groups.begin() + count))
                         : Json::array()},
          {"umask", mask}};
}

Json capabilities(const Keys&) {
  return {{"effective", capability_set("CapEff")},
          {"permitted", capability_set("CapPrm")},
          {"inheritable", capability_set("CapInh")},
          {"bounding", capability_set("CapBnd")},
          {"ambient", capability_set("CapAmb")}};
}

Json rlimits(const Keys&) {
  Json all = Json::object();
  for (const auto& [name, number] : kRlimits) {
    rlimit limit{};
    if (getrlimit(static_cast<__rlimit_resource_t>(number), &limit) == 0)
      all[name] = {{"soft", limit.rlim_cur}, {"hard", limit.rlim_max}};
  }
  return all;
}

Json environment(const Keys&) {
  Json all = Json::object();
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string text = *entry;
    const size_t equals = text.find('=');
    all[text.substr(0, equals)] = equals == std::string::npos ? "" : text.substr(equals + 1);
  }
  return all;
}

// Number to target; without the one that reads the directory.
Json descriptors(const Keys&) {
  Json all = Json::object();
  DIR* dir = opendir("/proc/self/fd");
  if (dir == nullptr) return {{"error", errno_name(errno)}};
  while (const dirent* entry = readdir(dir)) {
    const std::string name = entry->d_name;
    if (name == "." || name == ".." || name == std::to_string(dirfd(dir))) continue;
    all[name] = link_target("/proc/self/fd/" + name);
  }
  closedir(dir);
  return all;
}

Json process(const Keys&) {
  std::array<char, PATH_MAX> cwd{};
  int death_signal = 0;
  prctl(PR_GET_PDEATHSIG, &death_signal);
  Json args = Json::array();
  const std::string command = read_file("/proc/self/cmdline");
  for (const std::string_view word : split(command, '\0')) args.push_back(std::string(word));
  args.erase(args.size() - 1);  // after the last NUL
  return {{"pid", getpid()},
          {"ppid", getppid()},
          {"sid", getsid(0)},
          {"pgid", getpgid(0)},
          {"args", args},
          {"name", std::string(trim(read_file("/proc/self/comm")))},
          {"exe", link_target("/proc/self/exe")},
          {"root", link_target("/proc/self/root")},
          {"cwd", getcwd(cwd.data(), cwd.size()) != nullptr ? cwd.data() : errno_name(errno)},
          {"no_new_privs", prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1},
          {"seccomp", status_field("Seccomp")},
          {"seccomp_filters", status_field("Seccomp_filters")},
          {"dumpable", prctl(PR_GET_DUMPABLE, 0, 0, 0, 0)},
          {"securebits", prctl(PR_GET_SECUREBITS, 0, 0, 0, 0)},
          {"death_signal", death_signal},
          {"threads", status_field("Threads")},
          {"ignored", signal_set("SigIgn")},
          {"blocked", signal_set("SigBlk")},
          {"oom_score_adj", parse_number<int>(trim(read_file("/proc/self/oom_score_adj"))).value()},
          {"label", security_label()}};
}

Json terminal(const Keys&) {
  Json seen = {{"stdin", isatty(0) == 1}, {"stdout", isatty(1) == 1}, {"stderr", isatty(2) == 1}};
  winsize size{};
  if (ioctl(STDIN_FILENO, TIOCGWINSZ, &size) == 0) {
    seen["rows"] = size.ws_row;
    seen["columns"] = size.ws_col;
  }
  const Fd controlling(open("/dev/tty", O_RDWR | O_NOCTTY | O_CLOEXEC));
  seen["controlling"] = controlling.valid();
  seen["session_leader"] = getsid(0) == getpid();
  if (isatty(0) == 1) {
    seen["foreground"] = tcgetpgrp(0) == getpgrp();
    seen["name"] = link_target("/proc/self/fd/0");
    struct stat stdin_info {};
    struct stat console {};
    seen["is_console"] = fstat(0, &stdin_info) == 0 && stat("/dev/console", &console) == 0 &&
                         stdin_info.st_rdev == console.st_rdev;
  }
  return seen;
}

}  // namespace hull::probe
