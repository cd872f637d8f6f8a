// Limits and paths of cgroups, read back from the kernel's files; the device filter by trying.
#include <unistd.h>

#include <csignal>

#include "conformance/container/bundle.h"
#include "conformance/container/host.h"
#include "conformance/container/hull.h"
#include "libruntime/system/catch.h"
#include "libruntime/system/files.h"

namespace hull::conformance {
namespace {

constexpr int64_t kMiB = 1 << 20;

// A sleeping container whose limits were set by `limits` (the "resources" beside the device rules).
class Limited {
 public:
  explicit Limited(const Json& limits) {
    bundle.args({"/bin/sleep", "100"});
    bundle.config["linux"]["resources"].update(limits);
    hull.launch();
  }
  std::string file(const std::string& controller, const std::string& v1, const std::string& v2) {
    return hull.cgroup_file(controller, in_cgroup_v2(controller) ? v2 : v1);
  }
  Bundle bundle;
  Hull hull{bundle};
};

}  // namespace

TEST_CASE("the container is in the cgroup that cgroupsPath names, in every hierarchy", "[E14]") {
  if (by_systemd()) HULL_SKIP("with systemd cgroupsPath names a unit");
  const std::string parent = "hull-test-parent-" + std::to_string(getpid());
  {
    Bundle bundle;
    const std::string path = "/" + parent + "/sub/" + bundle.mark();
    bundle.config["linux"]["cgroupsPath"] = path;
    bundle.args({"/bin/sleep", "100"});
    Hull hull(bundle);
    hull.launch();
    for (const char* controller : {"memory", "pids", "cpu", "cpuset", "devices", "freezer"}) {
      if (!has_controller(controller)) continue;
      INFO(controller);
      CHECK(contains(cgroup_of(hull.pid(), controller), path));
    }
  }
  // The parents belong to who named them: the runtime must not remove them.
  const auto parents = cgroups_with(parent);
  CHECK_FALSE(parents.empty());
  for (const std::string& directory : parents) CHECK(rmdir(directory.c_str()) == 0);
}

TEST_CASE("without cgroupsPath the cgroup is named after the container", "[E14]") {
  Bundle bundle;
  bundle.config["linux"].erase("cgroupsPath");
  bundle.args({"/bin/sleep", "100"});
  Hull hull(bundle);
  hull.launch();
  CHECK(contains(cgroup_of(hull.pid(), "pids"), (by_systemd() ? "/hull-" : "/") + hull.id()));
}

TEST_CASE("memory limits are set", "[F1][F2][F3]") {
  if (!has_controller("memory")) HULL_SKIP("no memory controller");
  Limited c(Json{{"memory", {{"limit", 64 * kMiB}, {"reservation", 32 * kMiB}}}});
  CHECK(c.file("memory", "memory.limit_in_bytes", "memory.max") == std::to_string(64 * kMiB));
  CHECK(c.file("memory", "memory.soft_limit_in_bytes", "memory.low") == std::to_string(32 * kMiB));
}

TEST_CASE("memory and swap together are set, where the kernel counts swap", "[F3]") {
  Limited probe(Json::object());
  const std::string file =
      in_cgroup_v2("memory") ? "memory.swap.max" : "memory.memsw.limit_in_bytes";
  if (!exists(cgroup_of(probe.hull.pid(), "memory") + "/" + file))
    HULL_SKIP("the kernel does not count swap");
  Limited c(Json{{"memory", {{"limit", 64 * kMiB}, {"swap", 96 * kMiB}}}});
  CHECK(c.file("memory", "memory.memsw.limit_in_bytes", "memory.swap.max") ==
        std::to_string((in_cgroup_v2("memory") ? 32 : 96) * kMiB));
}

TEST_CASE("swappiness and the OOM killer's switch are set on v1", "[F5][F6]") {
  if (in_cgroup_v2("memory")) HULL_SKIP("cgroup v2 has neither");
  Limited c(
      Json{{"memory", {{"limit", 64 * kMiB}, {"swappiness", 13}, {"disableOOMKiller", true}}}});
  CHECK(c.hull.cgroup_file("memory", "memory.swappiness") == "13");
  CHECK(contains(c.hull.cgroup_file("memory", "memory.oom_control"), "oom_kill_disable 1"));
}

TEST_CASE("a program that takes more memory than its limit is killed, and the exit status tells",
          "[F1]") {
  if (!has_controller("memory")) HULL_SKIP("no memory controller");
  Bundle bundle;
  bundle.config["linux"]["resources"]["memory"] = {{"limit", 16 * kMiB}};
  bundle.mount("/mnt", "tmpfs", "tmpfs", {});
  bundle.args({"/bin/dd", "if=/dev/zero", "of=/mnt/big", "bs=1M", "count=64"});
  CHECK(Hull(bundle).run().exit_code == 128 + SIGKILL);
}

TEST_CASE("cpu shares, quota and period are set", "[F9][F10]") {
  if (!has_controller("cpu")) HULL_SKIP("no cpu controller");
  Limited c(Json{{"cpu", {{"shares", 512}, {"quota", 50'000}, {"period", 100'000}}}});
  if (in_cgroup_v2("cpu")) {
    CHECK(c.hull.cgroup_file("cpu", "cpu.max") == "50000 100000");
    CHECK(c.hull.cgroup_file("cpu", "cpu.weight") == "59");
  } else {
    CHECK(c.hull.cgroup_file("cpu", "cpu.shares") == "512");
    if (!exists(cgroup_of(c.hull.pid(), "cpu") + "/cpu.cfs_quota_us"))
      HULL_SKIP("the kernel has no CFS bandwidth");
    CHECK(c.hull.cgroup_file("cpu", "cpu.cfs_quota_us") == "50000");
    CHECK(c.hull.cgroup_file("cpu", "cpu.cfs_period_us") == "100000");
  }
}

TEST_CASE("cpu.idle is set", "[F14]") {
  Limited probe(Json::object());
  if (!exists(cgroup_of(probe.hull.pid(), "cpu") + "/cpu.idle"))
    HULL_SKIP("the kernel has no cpu.idle");
  Limited c(Json{{"cpu", {{"idle", 1}}}});
  CHECK(c.hull.cgroup_file("cpu", "cpu.idle") == "1");
}

TEST_CASE("cpus and mems are set", "[F13]") {
  if (!has_controller("cpuset")) HULL_SKIP("no cpuset controller");
  Limited c(Json{{"cpu", {{"cpus", "0"}, {"mems", "0"}}}});
  CHECK(c.hull.cgroup_file("cpuset", "cpuset.cpus") == "0");
  CHECK(c.hull.cgroup_file("cpuset", "cpuset.mems") == "0");
  CHECK(c.hull.inside("grep Cpus_allowed_list /proc/self/status") == "Cpus_allowed_list:\t0");
}

TEST_CASE("the number of processes is limited", "[F15]") {
  if (!has_controller("pids")) HULL_SKIP("no pids controller");
  Limited c(Json{{"pids", {{"limit", 20}}}});
  CHECK(c.hull.cgroup_file("pids", "pids.max") == "20");
  Limited unlimited(Json{{"pids", {{"limit", -1}}}});
  CHECK(unlimited.hull.cgroup_file("pids", "pids.max") == "max");
}

TEST_CASE("block devices are throttled", "[F19]") {
  if (!has_controller("blkio") && !has_controller("io")) HULL_SKIP("no block controller");
  Limited probe(Json::object());
  const std::string controller = has_controller("blkio") ? "blkio" : "io";
  const std::string file = controller == "io" ? "io.max" : "blkio.throttle.read_bps_device";
  if (!exists(cgroup_of(probe.hull.pid(), controller) + "/" + file))
    HULL_SKIP("the kernel can't throttle");
  // A disk of this machine: its own number, not a partition's.
  std::string number;
  for (const char* disk : {"vda", "sda", "nvme0n1", "xvda"})
    if (exists("/sys/block/" + std::string(disk)))
      number = read_file("/sys/block/" + std::string(disk) + "/dev");
  if (number.empty()) HULL_SKIP("no disk");
  number.pop_back();
  const size_t colon = number.find(':');
  Limited c(Json{{"blockIO",
                  {{"throttleReadBpsDevice",
                    {{{"major", std::stoi(number)},
                      {"minor", std::stoi(number.substr(colon + 1))},
                      {"rate", 1'048'576}}}}}}});
  CHECK(contains(c.hull.cgroup_file(controller, file),
                 number + (controller == "io" ? " rbps=1048576" : " 1048576")));
}

TEST_CASE("keys of unified are written on v2, and refused on v1", "[F27]") {
  Bundle bundle;
  bundle.config["linux"]["resources"]["unified"] = {{"memory.high", "50000000"}};
  if (in_cgroup_v2("memory")) {
    bundle.args({"/bin/sleep", "100"});
    Hull hull(bundle);
    hull.launch();
    CHECK(hull.cgroup_file("memory", "memory.high") == "49999872");
  } else {
    CHECK(contains(refusal_of(bundle), "unified"));
  }
}

TEST_CASE("a limit that the kernel refuses is an error that names the file or the field",
          "[F1][D3]") {
  Bundle bundle;
  bundle.config["linux"]["resources"]["cpu"] = {{"cpus", "4000"}};
  if (!has_controller("cpuset")) HULL_SKIP("no cpuset controller");
  CHECK(contains(refusal_of(bundle), "cpu"));
}

TEST_CASE("only the allowed devices can be opened", "[F23][F24]") {
  Bundle bundle;
  bundle.capabilities({"CAP_MKNOD"});
  // Opening is what the filter decides about; other reasons to fail are not its.
  const std::string script =
      "try() { mknod /x $1 $2 $3 || echo no mknod; (: < /x) 2>&1 | grep -q 'not permitted' && echo "
      "denied || echo allowed;"
      " rm -f /x; }; try c 1 5; try c 1 9; try c 10 229; try b 7 0";
  // fuse (10:229) and loop (7:0) are not among the default devices.
  CHECK(output_of(bundle, script) == "allowed\nallowed\ndenied\ndenied");
  bundle.config["linux"]["resources"]["devices"].push_back(
      {{"allow", true}, {"type", "c"}, {"major", 10}, {"minor", 229}, {"access", "rw"}});
  CHECK(output_of(bundle, script) == "allowed\nallowed\nallowed\ndenied");
}

TEST_CASE("device rules count in their order", "[F23]") {
  Bundle bundle;
  bundle.capabilities({"CAP_MKNOD"});
  bundle.config["linux"]["resources"]["devices"] = {
      {{"allow", false}, {"access", "rwm"}},
      {{"allow", true}, {"type", "c"}, {"major", 10}, {"access", "rwm"}},
      {{"allow", false}, {"type", "c"}, {"major", 10}, {"minor", 229}, {"access", "rwm"}}};
  const std::string script =
      "mknod /x c 10 229 2>/dev/null; (: < /x) 2>&1 | grep -o 'not permitted'; exit 0";
  Hull hull(bundle);
  bundle.script(script);
  const Outcome done = hull.run();
  // v1 can't take away one device of a major number that is allowed; then the runtime must say so.
  INFO(done.err);
  CHECK((done.out == "not permitted\n" || (done.exit_code == 1 && contains(done.err, "devices"))));
}

TEST_CASE("a rule for all devices allows all", "[F23]") {
  Bundle bundle;
  bundle.capabilities({"CAP_MKNOD"});
  bundle.config["linux"]["resources"]["devices"] = {{{"allow", true}, {"access", "rwm"}}};
  CHECK(output_of(bundle, "mknod /x b 7 0; (: < /x) 2>&1 | grep -c 'not permitted'; exit 0") ==
        "0");
}

TEST_CASE("a device rule without access is refused", "[F25]") {
  Bundle bundle;
  bundle.config["linux"]["resources"]["devices"].push_back(
      {{"allow", true}, {"type", "c"}, {"major", 1}, {"minor", 1}, {"access", ""}});
  CHECK_FALSE(refusal_of(bundle).empty());
}

TEST_CASE("a cgroup with processes in it is not taken for a new container", "[E17]") {
  Bundle bundle;
  bundle.args({"/bin/sleep", "100"});
  Hull hull(bundle);
  hull.launch();
  Bundle second;
  second.config["linux"]["cgroupsPath"] = bundle.config["linux"]["cgroupsPath"];
  const std::string below = cgroup_of(hull.pid(), "pids") + "/below";
  make_directories(below, 0755);
  const auto before = std::chrono::steady_clock::now();
  const std::string error = refusal_of(second);
  INFO(error);
  CHECK(contains(error, by_systemd() ? "systemd has a unit"
                                     : "container's cgroup is not empty: 1 process(es) found"));
  // The cgroup is not ours to clear away: nobody waits for its processes, nothing in it goes.
  CHECK(std::chrono::steady_clock::now() - before < std::chrono::seconds(5));
  CHECK(exists(below));
  CHECK(hull.status() == "running");
}

TEST_CASE("a frozen cgroup is not taken for a new container", "[E17]") {
  Bundle bundle;
  bundle.args({"/bin/sleep", "100"});
  Hull hull(bundle);
  hull.launch();
  REQUIRE(hull.command({"pause", hull.id()}).exit_code == 0);
  Bundle second;
  second.config["linux"]["cgroupsPath"] =
      bundle.config["linux"]["cgroupsPath"].get<std::string>() + "/below";
  CHECK(contains(refusal_of(second), "container's cgroup unexpectedly frozen"));
  CHECK(hull.status() == "paused");
}

TEST_CASE("a v2 cgroup in a namespace of its own, mounted read-write, is the user's", "[E16]") {
  if (!in_cgroup_v2("pids")) HULL_SKIP("needs cgroup v2: a v1 cgroup is never given away");
  const auto owners = [](const std::vector<std::string>& options) {
    Bundle bundle;
    bundle.user_namespace(100'000, 1000);
    bundle.name_space("cgroup");
    bundle.mount_at("/sys/fs/cgroup")["options"] = options;
    bundle.config["process"]["user"] = {{"uid", 7}, {"gid", 7}};
    bundle.args({"/bin/sleep", "100"});
    Hull hull(bundle);
    hull.launch();
    const std::string dir = cgroup_of(hull.pid(), "");
    return run_command({"stat", "-c", "%u", dir, dir + "/cgroup.procs", dir + "/pids.max"}).out;
  };
  CHECK(owners({"nosuid", "rw"}) == "100007\n100007\n0\n");
  CHECK(owners({"nosuid", "ro"}) == "0\n0\n0\n");
}

TEST_CASE("exec can enter a sub-cgroup, but never leave the container's", "[B32]") {
  Bundle bundle;
  bundle.args({"/bin/sleep", "100"});
  Hull hull(bundle);
  hull.launch();
  make_directories(cgroup_of(hull.pid(), "pids") + "/below", 0755);
  const std::string flag = in_cgroup_v2("pids") ? "below" : "pids:below";
  CHECK(contains(hull.inside("cat /proc/self/cgroup", {"--cgroup", flag}),
                 bundle.mark() + (by_systemd() ? ".scope" : "") + "/below"));
  for (const char* path : {"..", "../..", "/../.."}) {
    const Outcome out = hull.exec(
        {"true"}, {"--cgroup", in_cgroup_v2("pids") ? path : "pids:" + std::string(path)});
    INFO(path << out.err);
    CHECK(out.exit_code != 0);
  }
}

}  // namespace hull::conformance
