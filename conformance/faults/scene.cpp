#include "conformance/faults/scene.h"

#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <filesystem>
#include <regex>

#include "conformance/container/host.h"
#include "libruntime/system/error.h"
#include "libruntime/system/files.h"
#include "libruntime/system/process_stat.h"
#include "libruntime/system/text.h"

namespace hull::conformance {
namespace {

using std::chrono::milliseconds;

// The last line tells that it is whole.
constexpr char kScript[] =
    "exec > /out/report.new 2>&1; cat /proc/self/status /proc/self/mountinfo /proc/self/limits "
    "/proc/self/oom_score_adj /proc/self/cgroup /proc/self/uid_map /proc/sys/kernel/shmmax "
    "/proc/sys/net/ipv4/ip_forward; env; hostname; pwd; umask; id; ls -ln /dev /dev/fd/; "
    "ls /proc/self/fd; ip link 2>&1; echo END; mv /out/report.new /out/report; exit 7";

// What differs from one container to the next: pids, inodes, times, ids of mounts and devices, use
// of memory.
std::string normalised(const std::string& text) {
  static const std::regex kLine(
      "^(Name|State|SigQ|NStgid|NSpid|NSpgid|NSsid|TracerPid|Vm.*|Rss.*|Hugetlb.*|"
      "Threads|.*ctxt_switches|Mems_allowed.*|Cpus_allowed.*|FDSize|HugetlbPages|Ngid|Tgid|Pid|"
      "PPid):.*");
  static const std::regex kMount("^[0-9]+ [0-9]+ [0-9]+:[0-9]+ ");
  static const std::regex kMask("^[0-9]+ [0-9]+ [0-9]+:[0-9]+ /null ([^ ]+) .*");
  static const std::regex kPeer("(shared|master|propagate_from):[0-9]+");
  static const std::regex kTime("[A-Z][a-z]{2} +[0-9]+ [0-9:]+ ");
  static const std::regex kSocket("(pipe|socket|anon_inode|/proc/|if)[:\\[]*[0-9]+");
  std::string out;
  for (const std::string_view view : split(text, '\n')) {
    std::string line(view);
    if (std::regex_match(line, kLine)) continue;
    // The host's node in place of one of its own: where mknod(2) is refused that is as good, also
    // as the mask of a file.
    line = std::regex_replace(line, kMask, "/null $1");
    if (line.find(" devtmpfs ") != std::string::npos || line == "/null /dev/null") continue;
    line = std::regex_replace(line, kMount, "");
    line = std::regex_replace(line, kPeer, "$1");
    line = std::regex_replace(line, kTime, "");
    line = std::regex_replace(line, kSocket, "$1");
    out += line + "\n";
  }
  return out;
}

// Another container of the same ID has another pid and age.
std::string state_text(const std::string& text) {
  static const std::regex kVaries("\"(pid|created)\": [^,]+,");
  return std::regex_replace(text, kVaries, "");
}

std::string first_difference(const std::string& known, const std::string& now) {
  const auto before = split(known, '\n');
  const auto after = split(now, '\n');
  for (size_t i = 0; i < std::max(before.size(), after.size()); ++i) {
    const std::string_view a = i < before.size() ? before[i] : "(nothing)";
    const std::string_view b = i < after.size() ? after[i] : "(nothing)";
    if (a != b) return "inside it is " + quote(b) + " in place of " + quote(a);
  }
  return "";
}

// Living children of this process: it is the subreaper of all that it starts.
std::vector<pid_t> children() {
  std::vector<pid_t> out;
  const std::string self = std::to_string(getpid());
  const std::string text = read_file("/proc/self/task/" + self + "/children");
  for (const std::string_view word : split(trim(text), ' ')) {
    const auto pid = parse_number<pid_t>(word);
    if (!pid) continue;
    const auto stat = read_process_stat(*pid);
    if (stat && !stat->dead()) out.push_back(*pid);
  }
  return out;
}

std::string described(const std::vector<pid_t>& pids) {
  std::string out;
  for (const pid_t pid : pids) {
    const auto stat = read_process_stat(pid);
    out += " " + std::to_string(pid) + (stat ? " (" + stat->name + ")" : "");
  }
  return out;
}

// A configuration with something of everything that takes a system call.
void fill(Bundle& bundle, bool user_namespace) {
  Json& config = bundle.config;
  Json& process = config["process"];
  process["user"] = {{"uid", 1000}, {"gid", 1000}, {"additionalGids", {5, 20}}, {"umask", 18}};
  process["rlimits"].push_back({{"type", "RLIMIT_CORE"}, {"hard", 0}, {"soft", 0}});
  process["capabilities"]["inheritable"] = {"CAP_KILL"};
  process["capabilities"]["ambient"] = {"CAP_KILL"};
  process["cwd"] = "/home/user";
  process["oomScoreAdj"] = 300;
  config["root"]["readonly"] = true;
  config["domainname"] = "example.org";
  config["linux"]["sysctl"] = {{"kernel.shmmax", "1048576"}, {"net.ipv4.ip_forward", "1"}};
  config["linux"]["resources"]["pids"] = {{"limit", 100}};
  config["linux"]["resources"]["memory"] = {{"limit", 1 << 27}};
  config["linux"]["resources"]["cpu"] = {{"shares", 512}};
  config["linux"]["seccomp"] = {
      {"defaultAction", "SCMP_ACT_ALLOW"},
      {"syscalls", {{{"names", {"acct", "swapon"}}, {"action", "SCMP_ACT_ERRNO"}}}}};
  config["linux"]["rootfsPropagation"] = "private";
  if (!user_namespace) {
    config["linux"]["devices"] = {{{"path", "/dev/loopy"},
                                   {"type", "c"},
                                   {"major", 1},
                                   {"minor", 7},
                                   {"fileMode", 432},
                                   {"uid", 0},
                                   {"gid", 5}}};
  }
  bundle.bind(bundle.dir() + "/out", "/out");
  bundle.bind(bundle.dir() + "/out", "/mnt", {"rbind", "rro", "nosuid", "nodev", "noexec"});
  bundle.mount("/run/lock", "tmpfs", "tmpfs", {"nosuid", "nosymfollow", "size=65536", "mode=755"});
  bundle.mount("/etc", "tmpfs", "tmpfs", {"tmpcopyup", "mode=755"});
  for (const char* kind : {"createRuntime", "createContainer", "startContainer", "poststop"})
    bundle.hook(kind, ":");
  for (const char* name : {"out", "run"}) make_directories(bundle.dir() + "/" + name, 0755);
  if (chmod((bundle.dir() + "/out").c_str(), 0777) != 0)
    throw Error("setting a mode", "chmod", errno);
  make_directories(bundle.rootfs("/home/user"), 0755);
  if (user_namespace) bundle.user_namespace();
}

}  // namespace

std::string_view name_of(Operation operation) {
  for (const OperationName& one : kOperations)
    if (one.operation == operation) return one.name;
  return "?";
}

Scene::Scene(std::string runtime, bool user_namespace)
    : runtime_(std::move(runtime)), id_(bundle_.mark()) {
  if (prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) != 0)
    throw Error("becoming a subreaper", "prctl", errno);
  fill(bundle_, user_namespace);
}

Scene::~Scene() {
  const std::string left = clear_away();
  if (!left.empty()) std::fprintf(stderr, "at the end: %s\n", left.c_str());
}

Outcome Scene::command(const std::vector<std::string>& words) const {
  std::vector<std::string> all = {runtime_, "--root", bundle_.dir() + "/state"};
  all.insert(all.end(), words.begin(), words.end());
  return run_command(all);
}

void Scene::create(bool report) {
  unlink(pid_file().c_str());
  unlink((bundle_.dir() + "/out/report").c_str());
  bundle_.args(report ? std::vector<std::string>{"/bin/sh", "-c", kScript}
                      : std::vector<std::string>{"/bin/sleep", "1000"});
  bundle_.save();
  const Outcome made = command({"create", "--bundle", bundle_.dir(), id_});
  if (made.exit_code != 0) throw Error("create of the same ID failed: " + made.err);
  init_ = state().at("pid").get<pid_t>();
}

void Scene::start() const {
  const Outcome started = command({"start", id_});
  if (started.exit_code != 0) throw Error("start failed: " + started.err);
}

void Scene::prepare(Operation operation) {
  unlink((bundle_.dir() + "/out/report").c_str());
  switch (operation) {
    case Operation::create:
    case Operation::run:
      unlink(pid_file().c_str());
      bundle_.args({"/bin/sh", "-c", kScript});
      bundle_.save();
      return;
    case Operation::start:
      return create(true);
    case Operation::remove:
      return create(false);
    default:
      if (reusable(operation) && init_ > 0) return;
      create(false);
      start();
  }
}

std::vector<std::string> Scene::argv(Operation operation) const {
  std::vector<std::string> words = {runtime_, "--root", bundle_.dir() + "/state"};
  const auto with = [&](std::initializer_list<std::string> more) {
    words.insert(words.end(), more.begin(), more.end());
    return words;
  };
  switch (operation) {
    case Operation::create:
      return with({"create", "--bundle", bundle_.dir(), "--pid-file", pid_file(), id_});
    case Operation::run:
      return with({"run", "--bundle", bundle_.dir(), "--pid-file", pid_file(), id_});
    case Operation::start:
      return with({"start", id_});
    case Operation::exec:
      return with({"exec", id_, "/bin/sh", "-c", kScript});
    case Operation::remove:
      return with({"delete", id_});
    case Operation::remove_force:
      return with({"delete", "--force", id_});
    case Operation::state:
      return with({"state", id_});
  }
  return words;
}

pid_t Scene::other_side(Operation operation) const {
  return operation == Operation::start ? init_ : 0;
}

int Scene::success(Operation operation) {
  return operation == Operation::run || operation == Operation::exec ? 7 : 0;
}

std::string Scene::report() const {
  const std::string file = bundle_.dir() + "/out/report";
  eventually([&] { return exists(file); }, milliseconds(3000));
  return normalised(read_file_if_exists(file).value_or(""));
}

void Scene::learn(Operation operation, const Traced& traced) {
  if (operation == Operation::state) known_state_ = state_text(traced.out);
  if (operation == Operation::exec) known_exec_report_ = report();
  if (operation == Operation::run) known_report_ = report();
}

std::string Scene::lie(Operation operation, const Traced& traced) {
  // What is done without after a warning is no lie (an ambient capability that can't be raised).
  const bool told = !traced.err.empty();
  switch (operation) {
    case Operation::create: {
      const Json now = state();
      if (now.at("status") != "created") return "the status is " + now.at("status").dump();
      if (read_file_if_exists(pid_file()).value_or("") != now.at("pid").dump())
        return "the pid file is wrong";
      start();
      return told ? "" : first_difference(known_report_, report());
    }
    case Operation::start:
      return told ? "" : first_difference(known_report_, report());
    case Operation::run:
      if (const std::string difference = first_difference(known_report_, report());
          !difference.empty() && !told)
        return difference;
      // The exit status is the program's, also when cleaning up fails.
      return told ? "" : leftovers();
    case Operation::exec:
      return told ? "" : first_difference(known_exec_report_, report());
    case Operation::remove:
    case Operation::remove_force:
      return leftovers();
    case Operation::state:
      return first_difference(known_state_, state_text(traced.out));
  }
  return "";
}

bool Scene::reusable(Operation operation) const {
  return operation == Operation::exec || operation == Operation::state;
}

Json Scene::state() const {
  const Outcome asked = command({"state", id_});
  if (asked.exit_code != 0) throw Error("state failed: " + asked.err);
  return Json::parse(asked.out);
}

bool Scene::settled() {
  reap_orphans();
  const std::vector<pid_t> living = children();
  if (living.empty()) return true;
  if (living.size() > 1) return false;
  const Outcome asked = command({"state", id_});
  return asked.exit_code == 0 && Json::parse(asked.out).at("pid") == living[0];
}

std::string Scene::leftovers() const {
  std::string left;
  if (!eventually([] { return children().empty(); }, milliseconds(2000)))
    left += "processes" + described(children()) + "; ";
  for (const std::string& dir : cgroups_with(bundle_.mark())) left += "cgroup " + dir + "; ";
  for (const std::string& mount : mounts_with(bundle_.mark())) left += "mount " + mount + "; ";
  if (exists(bundle_.dir() + "/state/" + id_)) left += "state directory; ";
  for (const auto& entry : std::filesystem::directory_iterator(bundle_.dir() + "/run"))
    if (entry.path().filename() != "pid") left += "file " + entry.path().string() + "; ";
  return left;
}

std::string Scene::clear_away() {
  const Outcome removed = command({"delete", "--force", id_});
  init_ = 0;
  reap_orphans();
  std::string left = removed.exit_code == 0 ? "" : "delete --force failed: " + removed.err + "; ";
  left += leftovers();
  if (left.empty()) return left;
  // So that one finding is not counted as many.
  for (const pid_t pid : children()) kill(pid, SIGKILL);
  eventually([] { return children().empty(); }, milliseconds(2000));
  if (command({"delete", "--force", id_}).exit_code != 0) left += "nor does a second one; ";
  for (const std::string& dir : cgroups_with(bundle_.mark())) rmdir(dir.c_str());
  remove_tree(bundle_.dir() + "/state/" + id_);
  remove_tree(bundle_.dir() + "/run");
  make_directories(bundle_.dir() + "/run", 0755);
  return left;
}

std::string Scene::use_again() {
  try {
    create(false);
  } catch (const Error& e) {
    return e.what();
  }
  return clear_away();
}

std::string Scene::hidden_death() {
  const Outcome asked = command({"state", id_});
  if (asked.exit_code != 0 || Json::parse(asked.out).at("status") != "stopped")
    return "the init is dead, but the state is: " + asked.out + asked.err;
  const Outcome started = command({"start", id_});
  if (started.exit_code == 0 || started.err.empty()) return "start of a dead container succeeds";
  return "";
}

}  // namespace hull::conformance
