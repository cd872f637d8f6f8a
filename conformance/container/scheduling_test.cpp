// How the kernel runs the program: scheduler, I/O priority.
#include <sched.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "conformance/container/bundle.h"
#include "conformance/container/host.h"
#include "conformance/container/hull.h"
#include "libruntime/system/catch.h"
#include "libruntime/system/files.h"
#include "libruntime/system/text.h"

namespace hull::conformance {
namespace {

// struct sched_attr of sched_getattr(2), its first version.
struct Attributes {
  uint32_t size, policy;
  uint64_t flags;
  int32_t nice;
  uint32_t priority;
  uint64_t runtime, deadline, period;
};

Attributes attributes_of(pid_t pid) {
  Attributes out{};
  CHECK(syscall(SYS_sched_getattr, pid, &out, sizeof out, 0) == 0);
  return out;
}

long io_priority_of(pid_t pid) { return syscall(SYS_ioprio_get, 1, pid); }

// A process that `exec --detach` starts in the container.
pid_t detached(Hull& hull, const Bundle& bundle, std::vector<std::string> flags) {
  const std::string file = bundle.dir() + "/exec.pid";
  flags.insert(flags.end(), {"--detach", "--pid-file", file});
  const bool from_file = flags[0] == "--process";
  const Outcome done = from_file ? hull.exec({}, flags) : hull.exec({"/bin/sleep", "100"}, flags);
  INFO(done.err);
  REQUIRE(done.exit_code == 0);
  return parse_number<pid_t>(read_file(file)).value_or(0);
}

std::string process_file(const Bundle& bundle, const Json& more) {
  Json process = {{"args", {"/bin/sleep", "100"}}, {"cwd", "/"}, {"env", {"PATH=/bin"}}};
  process.update(more);
  const std::string path = bundle.dir() + "/process.json";
  write_file(path, process.dump());
  return path;
}

}  // namespace

TEST_CASE("the program runs under the scheduler that is asked for", "[D38]") {
  Bundle bundle;
  bundle.args({"/bin/sleep", "100"});
  const struct {
    Json given;
    uint32_t policy;
    int nice;
    uint32_t priority;
    uint64_t flags;
  } cases[] = {
      {{{"policy", "SCHED_OTHER"}, {"nice", -5}}, SCHED_OTHER, -5, 0, 0},
      {{{"policy", "SCHED_BATCH"}, {"nice", 19}, {"flags", {"SCHED_FLAG_RESET_ON_FORK"}}},
       SCHED_BATCH,
       19,
       0,
       1},
      {{{"policy", "SCHED_IDLE"}}, SCHED_IDLE, 0, 0, 0},
  };
  for (const auto& one : cases) {
    INFO(one.given);
    bundle.config["process"]["scheduler"] = one.given;
    Hull hull(bundle);
    hull.launch();
    const Attributes is = attributes_of(hull.pid());
    CHECK(is.policy == one.policy);
    CHECK(is.nice == one.nice);
    CHECK(is.priority == one.priority);
    CHECK(is.flags == one.flags);
  }
}

TEST_CASE("real time policies have their priority, deadlines their times", "[D38]") {
  if (!in_cgroup_v2("cpu") && !exists("/sys/fs/cgroup/cpu/cpu.rt_runtime_us"))
    HULL_SKIP("no cgroup to give real time to");
  Bundle bundle;
  bundle.args({"/bin/sleep", "100"});
  if (!in_cgroup_v2("cpu"))
    bundle.config["linux"]["resources"]["cpu"] = {{"realtimePeriod", 1'000'000},
                                                  {"realtimeRuntime", 1000}};
  SECTION("round robin") {
    bundle.config["process"]["scheduler"] = {{"policy", "SCHED_RR"}, {"priority", 3}};
    Hull hull(bundle);
    hull.launch();
    CHECK(attributes_of(hull.pid()).policy == SCHED_RR);
    CHECK(attributes_of(hull.pid()).priority == 3);
  }
  SECTION("deadline") {
    bundle.config["process"]["scheduler"] = {{"policy", "SCHED_DEADLINE"},
                                             {"flags", {"SCHED_FLAG_RECLAIM"}},
                                             {"runtime", 1'000'000},
                                             {"deadline", 20'000'000},
                                             {"period", 50'000'000}};
    Hull hull(bundle);
    hull.launch();
    const Attributes is = attributes_of(hull.pid());
    CHECK(is.policy == SCHED_DEADLINE);
    CHECK(is.flags == 2);
    CHECK(is.runtime == 1'000'000);
    CHECK(is.deadline == 20'000'000);
    CHECK(is.period == 50'000'000);
  }
}

TEST_CASE("what the kernel does not grant is an error that names the scheduler", "[D38]") {
  Bundle bundle;
  bundle.config["process"]["scheduler"] = {{"policy", "SCHED_ISO"}};
  CHECK(contains(refusal_of(bundle), "SCHED_ISO"));
  bundle.config["process"]["scheduler"] = {{"policy", "SCHED_DEADLINE"}, {"runtime", 5}};
  CHECK(contains(refusal_of(bundle), "scheduler"));
  bundle.config["process"]["scheduler"] = {{"policy", "SCHED_NOSUCH"}};
  CHECK(contains(refusal_of(bundle), "/process/scheduler/policy"));
}

TEST_CASE("the I/O priority is the one asked for", "[D39]") {
  Bundle bundle;
  bundle.args({"/bin/sleep", "100"});
  const std::pair<Json, long> cases[] = {
      {{{"class", "IOPRIO_CLASS_RT"}, {"priority", 1}}, 1 << 13 | 1},
      {{{"class", "IOPRIO_CLASS_BE"}, {"priority", 7}}, 2 << 13 | 7},
      {{{"class", "IOPRIO_CLASS_IDLE"}}, 3 << 13},
  };
  for (const auto& [given, value] : cases) {
    INFO(given);
    bundle.config["process"]["ioPriority"] = given;
    Hull hull(bundle);
    hull.launch();
    CHECK(io_priority_of(hull.pid()) == value);
  }
}

TEST_CASE("exec has the container's scheduler and I/O priority, or those of its process file",
          "[D38][D39]") {
  Bundle bundle;
  bundle.args({"/bin/sleep", "100"});
  bundle.config["process"]["scheduler"] = {{"policy", "SCHED_BATCH"}, {"nice", 3}};
  bundle.config["process"]["ioPriority"] = {{"class", "IOPRIO_CLASS_BE"}, {"priority", 2}};
  Hull hull(bundle);
  hull.launch();
  const pid_t plain = detached(hull, bundle, {});
  CHECK(attributes_of(plain).policy == SCHED_BATCH);
  CHECK(attributes_of(plain).nice == 3);
  CHECK(io_priority_of(plain) == (2 << 13 | 2));
  // What the file leaves open is the container's, as state.json has it.
  const pid_t bare = detached(hull, bundle, {"--process", process_file(bundle, Json::object())});
  CHECK(attributes_of(bare).policy == SCHED_BATCH);
  CHECK(io_priority_of(bare) == (2 << 13 | 2));
  const pid_t own = detached(
      hull, bundle,
      {"--process", process_file(bundle, {{"scheduler", {{"policy", "SCHED_IDLE"}}},
                                          {"ioPriority", {{"class", "IOPRIO_CLASS_IDLE"}}}})});
  CHECK(attributes_of(own).policy == SCHED_IDLE);
  CHECK(io_priority_of(own) == 3 << 13);
}

TEST_CASE("scheduler and I/O priority hold in a user namespace and under any seccomp filter",
          "[D38][D39]") {
  Bundle bundle;
  bundle.args({"/bin/sleep", "100"});
  bundle.user_namespace();
  bundle.config["process"]["user"] = {{"uid", 1000}, {"gid", 1000}};
  bundle.config["process"]["noNewPrivileges"] = false;
  bundle.config["linux"]["seccomp"] = {
      {"defaultAction", "SCMP_ACT_ALLOW"},
      {"syscalls",
       {{{"names", {"sched_setattr", "ioprio_set"}}, {"action", "SCMP_ACT_KILL_PROCESS"}}}}};
  bundle.config["process"]["scheduler"] = {{"policy", "SCHED_OTHER"}, {"nice", -7}};
  bundle.config["process"]["ioPriority"] = {{"class", "IOPRIO_CLASS_RT"}, {"priority", 6}};
  Hull hull(bundle);
  hull.launch();
  CHECK(attributes_of(hull.pid()).nice == -7);
  CHECK(io_priority_of(hull.pid()) == (1 << 13 | 6));
}

}  // namespace hull::conformance
