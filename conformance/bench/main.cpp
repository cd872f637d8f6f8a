// hull-bench RUNTIME [PEER] [--rounds N]: what a runtime costs beside a peer (default: the system's
// crun).
//
// Every round runs each operation once with each runtime, in turns, the first one alternating. What
// counts is the CPU time (user and system) of the runtime and all that it waited for, from
// wait4(2): wall time is shown too, but it is the machine's as much as the runtime's. The ratio is
// the median of the rounds' ratios, so that slow phases of the machine hit both sides.
//
// crun refuses a machine that mixes cgroup v1 and v2: the benchmark runs in a mount namespace of
// its own without the unified hierarchy when there are v1 ones. The host's mounts stay as they are.
#include <fcntl.h>
#include <ftw.h>
#include <sched.h>
#include <spawn.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

#include "libruntime/system/command.h"
#include "libruntime/system/error.h"
#include "libruntime/system/files.h"
#include "libruntime/system/mountinfo.h"
#include "libruntime/system/syscalls.h"
#include "libruntime/system/text.h"

namespace {

using hull::Error;
using hull::Fd;

struct Cost {
  double cpu_ms = 0;
  double wall_ms = 0;
};

double milliseconds(const timeval& time) {
  return static_cast<double>(time.tv_sec) * 1e3 + static_cast<double>(time.tv_usec) / 1e3;
}

// Runs it to its end with the standard streams at /dev/null. An operation that fails has no cost.
Cost cost_of(const std::vector<std::string>& argv) {
  const auto begin = std::chrono::steady_clock::now();
  // posix_spawn(3) shares the memory until execve: the copy of a fork(2) would be counted as the
  // runtime's.
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  for (const int fd : {0, 1, 2})
    posix_spawn_file_actions_addopen(&actions, fd, "/dev/null", O_RDWR, 0);
  pid_t pid = -1;
  const int code =
      posix_spawn(&pid, argv[0].c_str(), &actions, nullptr, hull::c_strings(argv).data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  if (code != 0) throw Error("starting " + argv[0], "posix_spawn", code);
  int status = 0;
  rusage usage{};
  if (wait4(pid, &status, 0, &usage) != pid) throw Error("waiting for " + argv[0], "wait4", errno);
  const std::chrono::duration<double, std::milli> wall = std::chrono::steady_clock::now() - begin;
  if (status != 0) {
    std::string words;
    for (const std::string& word : argv) words += word + " ";
    throw Error("status " + std::to_string(status) + " of: " + words);
  }
  return {milliseconds(usage.ru_utime) + milliseconds(usage.ru_stime), wall.count()};
}

// The configuration that `runc spec` prints, with a program that does nothing: the common
// denominator.
constexpr char kConfig[] = R"({
  "ociVersion": "1.0.2",
  "process": {
    "user": {"uid": 0, "gid": 0}, "args": ["/bin/PROGRAM", "1000"], "cwd": "/",
    "env": ["PATH=/bin", "TERM=xterm"],
    "capabilities": {
      "bounding": ["CAP_AUDIT_WRITE", "CAP_KILL", "CAP_NET_BIND_SERVICE"],
      "effective": ["CAP_AUDIT_WRITE", "CAP_KILL", "CAP_NET_BIND_SERVICE"],
      "permitted": ["CAP_AUDIT_WRITE", "CAP_KILL", "CAP_NET_BIND_SERVICE"]},
    "rlimits": [{"type": "RLIMIT_NOFILE", "hard": 1024, "soft": 1024}],
    "noNewPrivileges": true},
  "root": {"path": "ROOTFS", "readonly": true},
  "hostname": "bench",
  "mounts": [
    {"destination": "/proc", "type": "proc", "source": "proc"},
    {"destination": "/dev", "type": "tmpfs", "source": "tmpfs",
     "options": ["nosuid", "strictatime", "mode=755", "size=65536k"]},
    {"destination": "/dev/pts", "type": "devpts", "source": "devpts",
     "options": ["nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620", "gid=5"]},
    {"destination": "/dev/shm", "type": "tmpfs", "source": "shm",
     "options": ["nosuid", "noexec", "nodev", "mode=1777", "size=65536k"]},
    {"destination": "/dev/mqueue", "type": "mqueue", "source": "mqueue",
     "options": ["nosuid", "noexec", "nodev"]},
    {"destination": "/sys", "type": "sysfs", "source": "sysfs",
     "options": ["nosuid", "noexec", "nodev", "ro"]},
    {"destination": "/sys/fs/cgroup", "type": "cgroup", "source": "cgroup",
     "options": ["nosuid", "noexec", "nodev", "relatime", "ro"]}],
  "linux": {
    "resources": {"devices": [{"allow": false, "access": "rwm"}]},
    "namespaces": [{"type": "pid"}, {"type": "network"}, {"type": "ipc"}, {"type": "uts"},
                   {"type": "mount"}],
    "maskedPaths": ["/proc/acpi", "/proc/asound", "/proc/kcore", "/proc/keys",
                    "/proc/latency_stats", "/proc/timer_list", "/proc/timer_stats",
                    "/proc/sched_debug", "/sys/firmware", "/proc/scsi"],
    "readonlyPaths": ["/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"]}
})";

std::string replaced(std::string text, std::string_view from, std::string_view to) {
  return text.replace(text.find(from), from.size(), to);
}

// The directory of the benchmark: a root file system, two bundles, state roots. Removed at the end.
class Workshop {
 public:
  Workshop() {
    char name[] = "/tmp/hull-bench.XXXXXX";
    if (mkdtemp(name) == nullptr) throw Error("making a directory in /tmp", "mkdtemp", errno);
    path_ = name;
    for (const char* folder : {"bin", "proc", "dev", "sys", "tmp"})
      hull::make_directories(path_ + "/rootfs/" + folder, 0755);
    hull::replace_file(path_ + "/rootfs/bin/busybox", hull::read_file("/bin/busybox"), 0755);
    for (const char* name_of : {"true", "sleep"})
      if (symlink("busybox", (path_ + "/rootfs/bin/" + name_of).c_str()) != 0)
        throw Error("making a link", "symlink", errno);
    for (const char* program : {"true", "sleep"}) {
      hull::make_directories(bundle(program), 0755);
      hull::replace_file(
          bundle(program) + "/config.json",
          replaced(replaced(kConfig, "PROGRAM", program), "ROOTFS", path_ + "/rootfs"), 0644);
    }
  }
  Workshop(const Workshop&) = delete;
  Workshop& operator=(const Workshop&) = delete;
  ~Workshop() {
    nftw(
        path_.c_str(),
        [](const char* name, const struct stat*, int, FTW*) {
          std::remove(name);
          return 0;
        },
        16, FTW_DEPTH | FTW_PHYS | FTW_MOUNT);
  }
  [[nodiscard]] std::string bundle(const std::string& program) const {
    return path_ + "/" + program;
  }
  [[nodiscard]] std::string state(const std::string& name) const {
    return path_ + "/state-" + name;
  }

 private:
  std::string path_;
};

constexpr const char* kOperations[] = {"run", "create", "state", "exec", "start", "kill", "delete"};
constexpr size_t kOperationCount = std::size(kOperations);

struct Contender {
  std::string path;
  std::string name;
  std::string state;
  std::vector<Cost> costs[kOperationCount];
};

// One round of one runtime: a `run` of true, and the life of a second container step by step.
void round_of(Contender& who, const Workshop& shop, int number) {
  const std::string id = "bench" + std::to_string(getpid()) + who.name + std::to_string(number);
  const auto measure = [&](size_t operation, std::vector<std::string> words) {
    words.insert(words.begin(), {who.path, "--root", who.state});
    who.costs[operation].push_back(cost_of(words));
  };
  measure(0, {"run", "--bundle", shop.bundle("true"), id + "r"});
  measure(1, {"create", "--bundle", shop.bundle("sleep"), id});
  measure(4, {"start", id});
  measure(2, {"state", id});
  measure(3, {"exec", id, "/bin/true"});
  measure(5, {"kill", id, "KILL"});
  measure(6, {"delete", "--force", id});
}

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  const size_t half = values.size() / 2;
  return values.size() % 2 == 1 ? values[half] : (values[half - 1] + values[half]) / 2;
}

template <class Get>
double median_of(const std::vector<Cost>& costs, Get get) {
  std::vector<double> values;
  for (const Cost& cost : costs) values.push_back(get(cost));
  return median(values);
}

void print_results(const Contender& ours, const Contender& peer) {
  std::printf("%-8s %19s   %19s   %s\n", "", ours.name.c_str(), peer.name.c_str(),
              "peer/ours (median of the rounds)");
  std::printf("%-8s %9s %9s   %9s %9s   %9s %9s\n", "", "CPU ms", "wall ms", "CPU ms", "wall ms",
              "CPU", "wall");
  for (size_t i = 0; i < kOperationCount; ++i) {
    std::vector<double> cpu;
    std::vector<double> wall;
    for (size_t round = 0; round < ours.costs[i].size(); ++round) {
      cpu.push_back(peer.costs[i][round].cpu_ms / std::max(ours.costs[i][round].cpu_ms, 0.001));
      wall.push_back(peer.costs[i][round].wall_ms / ours.costs[i][round].wall_ms);
    }
    std::printf("%-8s", kOperations[i]);
    for (const Contender* who : {&ours, &peer})
      std::printf(" %9.2f %9.2f  ",
                  median_of(who->costs[i], [](const Cost& cost) { return cost.cpu_ms; }),
                  median_of(who->costs[i], [](const Cost& cost) { return cost.wall_ms; }));
    std::printf(" %9.2f %9.2f\n", median(cpu), median(wall));
  }
}

// A hybrid machine becomes a pure v1 one, in this process's own mount namespace.
void hide_unified_hierarchy() {
  if (unshare(CLONE_NEWNS) != 0 || mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0)
    throw Error("making a mount namespace (run as root)", "unshare", errno);
  const auto mounts = hull::read_mountinfo();
  const bool v1 = std::any_of(mounts.begin(), mounts.end(), [](const hull::MountInfo& mount) {
    return mount.fs_type == "cgroup" && mount.super_options.find("memory") != std::string::npos;
  });
  for (const hull::MountInfo& mount : mounts)
    if (v1 && mount.fs_type == "cgroup2" && umount2(mount.mount_point.c_str(), MNT_DETACH) != 0)
      throw Error("unmounting " + mount.mount_point, "umount2", errno);
}

std::string version_of(const std::string& program) {
  hull::Command command;
  command.path = program;
  command.args = {program, "--version"};
  const std::string text = hull::run_command(command).output;
  return text.substr(0, text.find('\n'));
}

std::string base_name(const std::string& path) { return path.substr(path.rfind('/') + 1); }

int benchmark(const std::string& ours_path, const std::string& peer_path, int rounds) {
  hide_unified_hierarchy();
  const Workshop shop;
  Contender ours{ours_path, base_name(ours_path), shop.state("ours"), {}};
  Contender peer{peer_path, base_name(peer_path), shop.state("peer"), {}};
  if (ours.name == peer.name) peer.name += "-peer";
  std::printf("%s\n%s\n%d rounds; load %s\n", version_of(ours.path).c_str(),
              version_of(peer.path).c_str(), rounds, hull::read_file("/proc/loadavg").c_str());
  constexpr int kWarmUp = 2;
  for (int round = -kWarmUp; round < rounds; ++round) {
    Contender* first = round % 2 == 0 ? &ours : &peer;
    Contender* second = round % 2 == 0 ? &peer : &ours;
    round_of(*first, shop, round + kWarmUp);
    round_of(*second, shop, round + kWarmUp);
    if (round >= 0) continue;
    for (size_t i = 0; i < kOperationCount; ++i) {
      ours.costs[i].clear();
      peer.costs[i].clear();
    }
  }
  print_results(ours, peer);
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  std::vector<std::string> paths;
  int rounds = 40;
  for (int i = 1; i < argc; ++i) {
    if (std::strcmp(argv[i], "--rounds") == 0 && i + 1 < argc)
      rounds = hull::parse_number<int>(argv[++i]).value_or(0);
    else
      paths.emplace_back(argv[i]);
  }
  if (paths.empty()) paths.emplace_back("build/hull");
  if (paths.size() == 1) paths.emplace_back("/usr/bin/crun");
  if (rounds < 1 || paths.size() > 2) {
    std::fprintf(stderr, "usage: hull-bench RUNTIME [PEER] [--rounds N]\n");
    return 2;
  }
  try {
    return benchmark(paths[0], paths[1], rounds);
  } catch (const std::exception& e) {
    std::fprintf(stderr, "hull-bench: %s\n", e.what());
    return 1;
  }
}
