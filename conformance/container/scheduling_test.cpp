// How the kernel runs the program: scheduler, I/O priority, CPUs, memory nodes, personality, Intel
// RDT.
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
    // SCHED_IDLE has none of its own: the caller's stays.
    if (one.given.contains("nice")) CHECK(is.nice == one.nice);
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
    // With CONFIG_RT_GROUP_SCHED cgroup v2 has no real time to share out.
    if (in_cgroup_v2("cpu") && run_command({"chrt", "--rr", "3", "true"}).exit_code != 0)
      HULL_SKIP("the kernel gives no real time to a cgroup");
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

TEST_CASE("exec runs on the CPUs of execCPUAffinity, from config.json or its process file",
          "[D40]") {
  if (sysconf(_SC_NPROCESSORS_ONLN) < 2) HULL_SKIP("needs two CPUs");
  const std::string show = "sed -n 's/^Cpus_allowed_list:.//p' /proc/self/status";
  Bundle bundle;
  const std::string all = output_of(bundle, show);
  bundle.config["process"]["execCPUAffinity"] = {{"initial", "0"}, {"final", "1"}};
  CHECK(output_of(bundle, show) == all);  // it is exec's alone
  bundle.args({"/bin/sleep", "100"});
  Hull hull(bundle);
  hull.launch();
  CHECK(hull.inside(show) == "1");
  const auto of_file = [&](const Json& affinity) {
    const std::string file =
        process_file(bundle, {{"args", {"/bin/sh", "-c", show}}, {"execCPUAffinity", affinity}});
    return hull.exec({}, {"--process", file});
  };
  CHECK(of_file({{"final", "0"}}).out == "0\n");
  CHECK(of_file({{"final", "0,4095"}}).out == "0\n");  // no end at 1024
  CHECK(of_file({{"initial", "1"}}).out == all + "\n");
  CHECK(of_file(Json::object()).out == "1\n");  // the container's, as state.json has it
}

TEST_CASE("execCPUAffinity with CPUs that don't exist, or that is no list, fails", "[D40]") {
  Bundle bundle;
  bundle.args({"/bin/sleep", "100"});
  Hull hull(bundle);
  hull.launch();
  const auto error_of = [&](const Json& affinity) {
    const Outcome done =
        hull.exec({}, {"--process", process_file(bundle, {{"execCPUAffinity", affinity}})});
    CHECK(done.exit_code == 255);
    return done.err;
  };
  CHECK(contains(error_of({{"final", "4095"}}), "/process/execCPUAffinity/final"));
  CHECK(contains(error_of({{"initial", "4095"}}), "/process/execCPUAffinity/initial"));
  CHECK(contains(error_of({{"initial", "1-"}}), "/execCPUAffinity/initial"));
}

TEST_CASE("memory comes from the nodes and in the mode that are asked for", "[E27]") {
  if (!exists("/proc/self/numa_maps")) HULL_SKIP("a kernel without NUMA");
  Bundle bundle;
  bundle.args({"/bin/sleep", "100"});
  const auto policy_of = [](pid_t pid) {
    const std::string maps = read_file("/proc/" + std::to_string(pid) + "/numa_maps");
    const size_t start = maps.find(' ') + 1;
    // "prefer (many):0" and "weighted interleave:0" have a blank in their name.
    return maps.substr(start, maps.find_first_of(" \n", maps.find_first_of(":\n", start)) - start);
  };
  const std::pair<Json, std::string> cases[] = {
      {{{"mode", "MPOL_BIND"}, {"nodes", "0"}}, "bind:0"},
      {{{"mode", "MPOL_BIND"}, {"nodes", "0"}, {"flags", {"MPOL_F_STATIC_NODES"}}},
       "bind=static:0"},
      {{{"mode", "MPOL_BIND"}, {"nodes", "0"}, {"flags", {"MPOL_F_RELATIVE_NODES"}}},
       "bind=relative:0"},
      {{{"mode", "MPOL_PREFERRED"}, {"nodes", "0"}}, "prefer:0"},
      {{{"mode", "MPOL_PREFERRED_MANY"}, {"nodes", "0"}}, "prefer (many):0"},
      {{{"mode", "MPOL_INTERLEAVE"}, {"nodes", "0"}}, "interleave:0"},
      {{{"mode", "MPOL_WEIGHTED_INTERLEAVE"}, {"nodes", "0"}}, "weighted interleave:0"},
  };
  for (const auto& [given, shown] : cases) {
    INFO(given);
    bundle.config["linux"]["memoryPolicy"] = given;
    Hull hull(bundle);
    const Outcome created = hull.create();
    // Newer than the kernel.
    if (created.exit_code != 0 && contains(created.err, "set_mempolicy: invalid argument"))
      continue;
    INFO(created.err);
    REQUIRE(created.exit_code == 0);
    REQUIRE(hull.start().exit_code == 0);
    CHECK(contains(policy_of(hull.pid()), shown));
    CHECK(contains(policy_of(detached(hull, bundle, {})), shown));
  }
  bundle.config["linux"]["memoryPolicy"] = {{"mode", "MPOL_LOCAL"}};
  Hull local(bundle);
  local.launch();
  CHECK(contains(read_file("/proc/" + std::to_string(local.pid()) + "/numa_maps"), " local "));
}

TEST_CASE("memory nodes that the machine does not have are an error", "[E27]") {
  Bundle bundle;
  bundle.config["linux"]["memoryPolicy"] = {{"mode", "MPOL_BIND"}, {"nodes", "1023"}};
  CHECK(contains(refusal_of(bundle), "/linux/memoryPolicy"));
  bundle.config["linux"]["memoryPolicy"] = {{"mode", "MPOL_NOSUCH"}};
  CHECK(contains(refusal_of(bundle), "/linux/memoryPolicy/mode"));
}

TEST_CASE("the personality decides what uname says of the machine, for exec too", "[E26]") {
  if (run_command({"setarch", "i686", "uname", "-m"}).out != "i686\n")
    HULL_SKIP("the kernel has one personality only");
  Bundle bundle;
  const std::string machine = output_of(bundle, "uname -m");
  bundle.config["linux"]["personality"] = {{"domain", "LINUX"}};
  CHECK(output_of(bundle, "uname -m") == machine);
  if (machine != "x86_64") HULL_SKIP("no known 32-bit name of this machine");
  bundle.config["linux"]["personality"] = {{"domain", "LINUX32"}};
  CHECK(output_of(bundle, "uname -m; cat /proc/self/personality") == "i686\n00000008");
  bundle.args({"/bin/sleep", "100"});
  Hull hull(bundle);
  hull.launch();
  CHECK(hull.inside("uname -m") == "i686");
}

TEST_CASE("a personality without a known domain is refused, flags are warned about", "[E26]") {
  Bundle bundle;
  bundle.config["linux"]["personality"] = {{"domain", "BSD"}};
  CHECK(contains(refusal_of(bundle), "/linux/personality/domain"));
  bundle.config["linux"]["personality"] = {{"domain", "LINUX"}, {"flags", {"ADDR_NO_RANDOMIZE"}}};
  bundle.args({"/bin/true"});
  const Outcome done = Hull(bundle).run();
  CHECK(done.exit_code == 0);
  CHECK(contains(done.err, "personality"));
}

TEST_CASE("intelRdt without a resctrl file system is an error; with it the container is in a class",
          "[E25]") {
  Bundle bundle;
  bundle.config["linux"]["intelRdt"] = Json::object();
  bundle.args({"/bin/sleep", "100"});
  if (!contains(read_file("/proc/self/mountinfo"), " - resctrl ")) {
    const std::string error = refusal_of(bundle);
    CHECK(contains(error, "/linux/intelRdt"));
    CHECK(contains(error, "resctrl file system is not mounted"));
    bundle.config["linux"].erase("intelRdt");
    Hull hull(bundle);
    hull.launch();
    const Outcome update = hull.command({"update", "--l3-cache-schema", "L3:0=f", hull.id()});
    CHECK(update.exit_code == 1);
    CHECK(contains(update.err, "resctrl"));
    HULL_SKIP("no resctrl file system is mounted");
  }
  Hull hull(bundle);
  hull.launch();
  const Json state = Json::parse(read_file(hull.root() + "/" + hull.id() + "/state.json"));
  const std::string path = state["intel_rdt_path"];
  CHECK(contains(read_file(path + "/tasks"), std::to_string(hull.pid()) + "\n"));
  CHECK(hull.remove({"--force"}).exit_code == 0);
  CHECK_FALSE(exists(path));
}

}  // namespace hull::conformance
