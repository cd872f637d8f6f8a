// The systemd cgroup driver: units seen with systemctl, files before and after a daemon-reload.
// Needs systemd as process 1; conformance/vm has one.
#include <unistd.h>

#include <algorithm>
#include <array>
#include <map>

#include "conformance/container/bundle.h"
#include "conformance/container/host.h"
#include "conformance/container/hull.h"
#include "libruntime/cgroups/bus.h"
#include "libruntime/system/catch.h"
#include "libruntime/system/files.h"

namespace hull::conformance {
namespace {

constexpr char kRunc[] = "/usr/sbin/runc";
constexpr std::chrono::milliseconds kPatience{30'000};  // an emulated machine is slow

bool systemd_runs() { return exists("/run/systemd/system"); }

std::string systemctl(std::vector<std::string> words) {
  words.insert(words.begin(), "systemctl");
  std::string out = run_command(words).out;
  while (!out.empty() && out.back() == '\n') out.pop_back();
  return out;
}

// The lines in which two sets of files differ.
std::string difference(const std::map<std::string, std::string>& before,
                       std::map<std::string, std::string> after) {
  std::string out;
  for (const auto& [file, text] : before)
    if (after[file] != text) out += file + ": " + text + "now: " + after[file];
  return out;
}

// A container in a scope of a slice of its own.
class Scoped {
 public:
  Scoped() {
    bundle.args({"/bin/sleep", "1000"});
    name_it(bundle.mark());
  }
  void name_it(const std::string& name) {
    unit = "hull-" + name + ".scope";
    bundle.config["linux"]["cgroupsPath"] = "hulltest-inner.slice:hull:" + name;
  }
  Outcome create() {
    bundle.save();
    return hull.command({"--systemd-cgroup", "create", "--bundle", bundle.dir(), hull.id()});
  }
  void launch() {
    const Outcome created = create();
    INFO(created.err);
    REQUIRE(created.exit_code == 0);
    REQUIRE(hull.start().exit_code == 0);
  }
  // What systemd says of the unit.
  [[nodiscard]] std::string property(const std::string& property_name) const {
    return systemctl({"show", "--value", "-p", property_name, unit});
  }
  [[nodiscard]] std::string directory() const {
    return cgroup_root() + "/hulltest.slice/hulltest-inner.slice/" + unit;
  }
  static std::string cgroup_root() { return "/sys/fs/cgroup"; }
  // The files that hold limits, with their content.
  [[nodiscard]] std::map<std::string, std::string> limits() const {
    std::map<std::string, std::string> out;
    for (const char* file :
         {"memory.max", "memory.min", "memory.low", "memory.high", "memory.swap.max",
          "memory.oom.group", "memory.zswap.max", "cpu.max", "cpu.max.burst", "cpu.weight",
          "cpu.idle", "cpuset.cpus", "cpuset.mems", "pids.max", "io.weight", "io.max", "io.latency",
          "hugetlb.2MB.max", "rdma.max"})
      if (const auto text = read_file_if_exists(directory() + "/" + file)) out[file] = *text;
    return out;
  }

  Bundle bundle;
  std::string unit;
  Hull hull{bundle};
};

}  // namespace

TEST_CASE("without systemd its cgroup driver is refused", "[A7][systemd]") {
  if (systemd_runs()) HULL_SKIP("systemd runs here");
  Scoped c;
  const Outcome created = c.create();
  CHECK(created.exit_code == 1);
  CHECK(contains(created.err,
                 "systemd cgroup flag passed, but systemd support for managing "
                 "cgroups is not available"));
}

TEST_CASE("with systemd the container is in a scope of the slice that cgroupsPath names",
          "[E15][F34][systemd]") {
  if (!systemd_runs()) HULL_SKIP("systemd is not process 1");
  Scoped c;
  c.launch();
  CHECK(cgroup_of(c.hull.pid(), "pids") == c.directory());
  CHECK(c.property("ActiveState") == "active");
  CHECK(c.property("Transient") == "yes");
  CHECK(c.property("Delegate") == "yes");
  CHECK(c.property("DefaultDependencies") == "no");
  CHECK(c.property("Slice") == "hulltest-inner.slice");
  // No helper of ours stays.
  CHECK(read_file(c.directory() + "/cgroup.procs") == std::to_string(c.hull.pid()) + "\n");
  const Json state = Json::parse(c.bundle.read("state/" + c.hull.id() + "/state.json"));
  CHECK(state["cgroup_paths"][""] == c.directory());
  const Json& cgroup = state["config"]["cgroups"];
  CHECK(cgroup["Systemd"] == true);
  CHECK(cgroup["name"] == c.bundle.mark());
  CHECK(cgroup["parent"] == "hulltest-inner.slice");
  CHECK(cgroup["scope_prefix"] == "hull");
  CHECK(c.hull.inside("cat /proc/self/cgroup") == "0::" + c.directory().substr(14));

  CHECK(c.hull.remove({"--force"}).exit_code == 0);
  CHECK(c.property("LoadState") == "not-found");
  CHECK_FALSE(exists(c.directory()));
}

TEST_CASE("without cgroupsPath the scope is named after the container", "[E15][systemd]") {
  if (!systemd_runs()) HULL_SKIP("systemd is not process 1");
  Scoped c;
  c.bundle.config["linux"].erase("cgroupsPath");
  c.launch();
  CHECK(cgroup_of(c.hull.pid(), "pids") ==
        "/sys/fs/cgroup/system.slice/hull-" + c.hull.id() + ".scope");
}

TEST_CASE("--cgroup-manager systemd is the same", "[A8][systemd]") {
  if (!systemd_runs()) HULL_SKIP("systemd is not process 1");
  Scoped c;
  c.bundle.script("cat /proc/self/cgroup");
  c.bundle.save();
  const Outcome ran = c.hull.command(
      {"--cgroup-manager", "systemd", "run", "--bundle", c.bundle.dir(), c.hull.id()});
  CHECK(contains(ran.out, "/hulltest.slice/hulltest-inner.slice/" + c.unit + "\n"));
  CHECK(c.property("LoadState") == "not-found");
}

TEST_CASE("a daemon-reload changes no limit and no device", "[F35][F36][systemd]") {
  if (!systemd_runs()) HULL_SKIP("systemd is not process 1");
  Scoped c;
  Json& resources = c.bundle.config["linux"]["resources"];
  resources["memory"] = {{"limit", 67108864}, {"reservation", 33554432}, {"swap", 100663296}};
  resources["cpu"] = {{"quota", 33320}, {"period", 70000}, {"shares", 512}};
  resources["pids"] = {{"limit", 321}};
  resources["unified"] = {
      {"memory.high", "50331648"}, {"memory.min", "4096"}, {"memory.oom.group", "1"}};
  if (has_controller("cpuset")) resources["cpu"].update({{"cpus", "0"}, {"mems", "0"}});
  resources["devices"].push_back(
      {{"allow", true}, {"type", "c"}, {"major", 10}, {"minor", 229}, {"access", "rw"}});
  c.bundle.config["process"]["capabilities"]["bounding"].push_back("CAP_MKNOD");
  c.bundle.config["process"]["capabilities"]["effective"].push_back("CAP_MKNOD");
  c.bundle.config["process"]["capabilities"]["permitted"].push_back("CAP_MKNOD");
  c.launch();
  const auto before = c.limits();
  CHECK(before.at("memory.max") == "67108864\n");
  CHECK(before.at("memory.swap.max") == "33554432\n");
  CHECK(before.at("memory.high") == "50331648\n");
  CHECK(before.at("cpu.max") == "33320 70000\n");
  CHECK(before.at("pids.max") == "321\n");
  // /dev/null is allowed, /dev/kmsg (1:11) is not. mknod itself always is.
  const std::string try_devices =
      "mknod /tmp/m c 1 11 2>/dev/null; cat /dev/null && ! dd if=/tmp/m of=/dev/null count=1 2>&1";
  CHECK(contains(c.hull.inside(try_devices), "not permitted"));

  systemctl({"daemon-reload"});
  CHECK(difference(before, c.limits()) == "");
  // What makes systemd write the files anew, with what it has read back from its own copy.
  systemctl({"set-property", "--runtime", c.unit, "MemoryLow=33554432"});
  CHECK(difference(before, c.limits()) == "");
  CHECK(contains(c.hull.inside(try_devices), "not permitted"));
  CHECK(c.property("MemoryMax") == "67108864");
  CHECK(c.property("MemorySwapMax") == "33554432");
  CHECK(c.property("MemoryHigh") == "50331648");
  CHECK(c.property("MemoryMin") == "4096");
  CHECK(c.property("TasksMax") == "321");
  CHECK(c.property("OOMPolicy") == "kill");
  CHECK(c.property("CPUWeight") == "59");
  CHECK(c.property("DevicePolicy") == "strict");
  CHECK(contains(c.property("DeviceAllow"), "/dev/char/10:229 rw"));
}

TEST_CASE("update tells systemd too", "[B39][F35][systemd]") {
  if (!systemd_runs()) HULL_SKIP("systemd is not process 1");
  Scoped c;
  c.bundle.config["linux"]["resources"]["memory"] = {{"limit", 67108864}};
  c.launch();
  const Outcome updated = c.hull.command({"update", "--memory", "134217728", "--pids-limit", "55",
                                          "--cpu-quota", "20000", c.hull.id()});
  INFO(updated.err);
  REQUIRE(updated.exit_code == 0);
  const auto before = c.limits();
  CHECK(before.at("memory.max") == "134217728\n");
  CHECK(before.at("pids.max") == "55\n");
  CHECK(before.at("cpu.max") == "20000 100000\n");
  CHECK(c.property("MemoryMax") == "134217728");
  CHECK(c.property("TasksMax") == "55");
  CHECK(c.property("CPUQuotaPerSecUSec") == "200ms");
  systemctl({"daemon-reload"});
  systemctl({"set-property", "--runtime", c.unit, "CPUWeight=77"});
  CHECK(difference(before, c.limits()) == "cpu.weight: 100\nnow: 77\n");
}

TEST_CASE("an update that is refused reaches neither the files nor the unit",
          "[B39][F8][systemd]") {
  if (!systemd_runs()) HULL_SKIP("systemd is not process 1");
  Scoped c;
  c.bundle.config["linux"]["resources"]["memory"] = {{"limit", 67108864}};
  c.bundle.config["linux"]["resources"]["cpu"] = {{"quota", 20000}, {"period", 50000}};
  c.launch();
  const auto before = c.limits();
  const Json wanted = {{"memory", {{"limit", 4096}, {"checkBeforeUpdate", true}}},
                       {"pids", {{"limit", 9}}}};
  const Outcome refused =
      c.hull.command({"update", "--resources", "-", c.hull.id()}, {.input = wanted.dump()});
  CHECK(refused.exit_code == 1);
  CHECK(contains(refused.err, "/linux/resources/memory/limit"));
  CHECK(difference(before, c.limits()) == "");
  CHECK(c.property("MemoryMax") == "67108864");
  CHECK(c.hull.status() == "running");
  // systemd hears of the period what it was.
  CHECK(c.hull.command({"update", "--cpu-quota", "10000", c.hull.id()}).exit_code == 0);
  CHECK(c.limits().at("cpu.max") == "10000 50000\n");
  systemctl({"daemon-reload"});
  systemctl({"set-property", "--runtime", c.unit, "CPUWeight=77"});
  CHECK(c.limits().at("cpu.max") == "10000 50000\n");
}

TEST_CASE("a container of one process fits into its scope", "[F15][systemd]") {
  if (!systemd_runs()) HULL_SKIP("systemd is not process 1");
  for (const bool unified : {false, true}) {
    Scoped c;
    Json& resources = c.bundle.config["linux"]["resources"];
    if (unified) {
      resources["unified"] = {{"pids.max", "1"}};
    } else {
      resources["pids"] = {{"limit", 1}};
    }
    c.launch();
    CHECK(c.limits().at("pids.max") == "1\n");
    CHECK(c.property("TasksMax") == "1");
  }
}

TEST_CASE("a sub-cgroup of the scope holds the container", "[E18][systemd]") {
  if (!systemd_runs()) HULL_SKIP("systemd is not process 1");
  Scoped c;
  c.bundle.config["annotations"]["run.oci.systemd.subgroup"] = "inner";
  c.bundle.config["linux"]["resources"]["pids"] = {{"limit", 77}};
  c.launch();
  CHECK(cgroup_of(c.hull.pid(), "pids") == c.directory() + "/inner");
  CHECK(read_file(c.directory() + "/cgroup.procs").empty());
  CHECK(read_file(c.directory() + "/inner/pids.max") == "77\n");
  CHECK(c.property("TasksMax") == "77");
  CHECK(c.hull.inside("cat /proc/self/cgroup").ends_with(c.unit + "/inner"));
  CHECK(c.hull.remove({"--force"}).exit_code == 0);
  CHECK_FALSE(exists(c.directory()));
}

TEST_CASE("a slice can be the container's unit", "[E15][systemd]") {
  if (!systemd_runs()) HULL_SKIP("systemd is not process 1");
  Scoped c;
  c.unit = "hulltest-inner-x.slice";
  c.bundle.config["linux"]["cgroupsPath"] = "hulltest-inner.slice:any:" + c.unit;
  c.launch();
  CHECK(cgroup_of(c.hull.pid(), "pids") == c.directory());
  CHECK(c.hull.remove({"--force"}).exit_code == 0);
  CHECK_FALSE(exists(c.directory()));
  CHECK(c.property("ActiveState") == "inactive");
}

TEST_CASE("annotations set harmless properties of the unit, and no others", "[E19][systemd]") {
  if (!systemd_runs()) HULL_SKIP("systemd is not process 1");
  {
    Scoped c;
    c.bundle.config["annotations"] = {{"org.systemd.property.TimeoutStopSec", "7"},
                                      {"org.systemd.property.CollectMode", "'inactive-or-failed'"},
                                      {"org.systemd.property.After", "['basic.target']"}};
    c.launch();
    CHECK(c.property("TimeoutStopUSec") == "7s");
    CHECK(c.property("CollectMode") == "inactive-or-failed");
    CHECK(contains(c.property("After"), "basic.target"));
  }
  Scoped c;
  c.bundle.config["annotations"] = {{"org.systemd.property.SuccessAction", "'reboot'"}};
  const Outcome created = c.create();
  CHECK(created.exit_code == 1);
  CHECK(contains(created.err, "/annotations/org.systemd.property.SuccessAction"));
}

TEST_CASE("a failed unit of the same name is no hindrance, a living one is", "[F34][systemd]") {
  if (!systemd_runs()) HULL_SKIP("systemd is not process 1");
  Scoped c;
  // A scope whose time is over fails.
  const Outcome ran = run_command({"systemd-run", "--quiet", "--scope", "--unit", c.unit, "-p",
                                   "RuntimeMaxSec=100ms", "sleep", "5"});
  INFO(ran.err);
  REQUIRE(eventually([&] { return c.property("ActiveState") == "failed"; }));
  c.launch();
  CHECK(c.property("ActiveState") == "active");

  Scoped second;
  second.name_it(c.bundle.mark());
  const Outcome created = second.create();
  INFO(created.err);
  CHECK(created.exit_code == 1);
  CHECK(contains(created.err, "systemd has a unit"));
  CHECK(contains(created.err, c.unit));
  CHECK(c.hull.status() == "running");
}

TEST_CASE("a limit that is refused leaves no unit", "[F34][systemd]") {
  if (!systemd_runs()) HULL_SKIP("systemd is not process 1");
  for (const bool sub_group : {false, true}) {
    Scoped c;
    if (sub_group) c.bundle.config["annotations"]["run.oci.systemd.subgroup"] = "inner";
    c.bundle.config["linux"]["resources"]["unified"] = {{"pids.nonsense", "1"}};
    const Outcome created = c.create();
    CHECK(created.exit_code == 1);
    CHECK(contains(created.err, "/linux/resources/unified/pids.nonsense"));
    CHECK(c.property("LoadState") == "not-found");
    CHECK_FALSE(exists(c.directory()));
  }
}

TEST_CASE("a runtime killed while it creates leaves no unit", "[F34][systemd]") {
  if (!systemd_runs()) HULL_SKIP("systemd is not process 1");
  for (const int delay_ms : {1, 20, 60, 150, 300}) {
    Scoped c;
    c.bundle.save();
    {
      const Process creating(
          c.hull.argv({"--systemd-cgroup", "run", "--bundle", c.bundle.dir(), c.hull.id()}));
      usleep(static_cast<useconds_t>(delay_ms) * 1000);
      creating.signal(9);
    }
    CHECK(c.hull.remove({"--force"}).exit_code == 0);
    CHECK(eventually([&] { return c.property("LoadState") == "not-found"; }));
  }
}

TEST_CASE("a user's own systemd has the cgroup of the user's container", "[I4][F34][systemd]") {
  if (!systemd_runs()) HULL_SKIP("systemd is not process 1");
  if (run_command({"systemctl", "start", "user@1000.service"}).exit_code != 0)
    HULL_SKIP("no systemd of user 1000");
  Scoped c;
  Json& part = c.bundle.config["linux"];
  part["cgroupsPath"] = "user.slice:hull:" + c.bundle.mark();
  part["resources"] = {{"memory", {{"limit", 67108864}}}, {"pids", {{"limit", 50}}}};
  c.bundle.name_space("user");
  for (const char* maps : {"uidMappings", "gidMappings"})
    part[maps] = {{{"containerID", 0}, {"hostID", 1000}, {"size", 1}}};
  c.bundle.mount_at("/dev/pts")["options"] = {"nosuid", "noexec", "newinstance"};
  c.bundle.script("cat /proc/self/cgroup; while [ ! -e /go ]; do sleep 0.1; done");
  c.bundle.save();
  REQUIRE(run_command({"chown", "-R", "1000:1000", c.bundle.dir()}).exit_code == 0);
  const auto as_user = [](std::vector<std::string> words, const std::vector<std::string>& more) {
    words.insert(words.begin(), {"setpriv", "--reuid=1000", "--regid=1000", "--init-groups", "env",
                                 "XDG_RUNTIME_DIR=/run/user/1000"});
    words.insert(words.end(), more.begin(), more.end());
    return words;
  };
  const std::vector<std::string> run_it = {Hull::program(),    "--root",   c.hull.root(),
                                           "--systemd-cgroup", "run",      "--bundle",
                                           c.bundle.dir(),     c.hull.id()};
  SECTION("from a cgroup of that systemd") {
    const std::string made =
        "/sys/fs/cgroup/user.slice/user-1000.slice/user@1000.service/user.slice/" + c.unit;
    Process run(as_user({"systemd-run", "--user", "--scope", "--quiet"}, run_it));
    const bool runs = eventually([&] { return contains(run.out(), c.unit); }, kPatience);
    INFO(run.err());
    CHECK(runs);
    if (runs) {
      CHECK(read_file(made + "/memory.max") == "67108864\n");
      CHECK(read_file(made + "/pids.max") == "50\n");
    }
    write_file(c.bundle.rootfs("/go"), "");
    CHECK(run.wait().exit_code == 0);
    CHECK_FALSE(exists(made));
  }
  SECTION("from elsewhere, where the kernel refuses it") {
    const Outcome refused = run_command(as_user({}, run_it));
    CHECK(refused.exit_code == 1);
    CHECK(contains(refused.err, "/linux/cgroupsPath"));
    CHECK(contains(refused.err, "systemd-run --user --scope"));
  }
}

TEST_CASE("runc and hull manage each other's scopes", "[C1][F34][systemd]") {
  if (!systemd_runs()) HULL_SKIP("systemd is not process 1");
  if (access(kRunc, X_OK) != 0) HULL_SKIP("Debian's runc is not installed");
  for (const bool runc_first : {true, false}) {
    const std::string maker = runc_first ? kRunc : Hull::program();
    const std::string other = runc_first ? Hull::program() : kRunc;
    Scoped c;
    c.bundle.save();
    const auto by = [&](const std::string& program, std::vector<std::string> words) {
      words.insert(words.begin(), {program, "--root", c.hull.root(), "--systemd-cgroup"});
      const Outcome done = run_command(words);
      INFO(program << "\n" << done.err);
      CHECK(done.exit_code == 0);
      return done.out;
    };
    by(maker, {"create", "--bundle", c.bundle.dir(), c.hull.id()});
    by(other, {"start", c.hull.id()});
    by(other, {"update", "--memory", "134217728", "--memory-swap", "134217728", c.hull.id()});
    CHECK(c.property("MemoryMax") == "134217728");
    CHECK(contains(by(other, {"exec", c.hull.id(), "cat", "/proc/self/cgroup"}), c.unit));
    by(other, {"pause", c.hull.id()});
    by(other, {"resume", c.hull.id()});
    by(other, {"kill", c.hull.id(), "KILL"});
    CHECK(c.hull.reaches("stopped"));
    by(other, {"delete", c.hull.id()});
    CHECK(c.property("LoadState") == "not-found");
  }
}

}  // namespace hull::conformance
