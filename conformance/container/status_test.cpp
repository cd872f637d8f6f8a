// The status is always read, never stored; pause, resume, ps.
#include <csignal>

#include "conformance/container/bundle.h"
#include "conformance/container/host.h"
#include "conformance/container/hull.h"
#include "libruntime/system/catch.h"
#include "libruntime/system/files.h"
#include "libruntime/system/process_stat.h"

namespace hull::conformance {
namespace {

std::string freezer_file(const Hull& hull, pid_t pid) {
  (void)hull;
  return in_cgroup_v2("freezer") || !has_controller("freezer")
             ? cgroup_of(pid, "") + "/cgroup.freeze"
             : cgroup_of(pid, "freezer") + "/freezer.state";
}

void set_frozen(const std::string& file, bool frozen) {
  if (contains(file, "freezer.state"))
    write_existing(file, frozen ? "FROZEN" : "THAWED");
  else
    write_existing(file, frozen ? "1" : "0");
}

}  // namespace

TEST_CASE("a zombie is stopped", "[C3][L43]") {
  Bundle bundle;
  Hull hull(bundle);
  REQUIRE(hull.create().exit_code == 0);
  const pid_t pid = hull.pid();
  const KeepZombies keep;
  REQUIRE(hull.start().exit_code == 0);
  CHECK(hull.reaches("stopped"));
  CHECK(read_process_stat(pid).value().state == 'Z');
  CHECK(hull.remove().exit_code == 0);
}

TEST_CASE("a process that only has the pid is not the container's", "[C3][L42]") {
  Bundle bundle;
  bundle.args({"/bin/sleep", "100"});
  Hull hull(bundle);
  hull.launch();
  const pid_t pid = hull.pid();
  REQUIRE(kill(pid, SIGKILL) == 0);
  CHECK(hull.reaches("stopped"));
  // As if the pid had been given to another process: this one, with another start time.
  const std::string file = hull.root() + "/" + hull.id() + "/state.json";
  Json state = Json::parse(read_file(file));
  state.at("init_process_pid") = getpid();
  write_file(file, state.dump());
  CHECK(hull.status() == "stopped");
  CHECK(hull.kill("KILL").exit_code == 1);  // we live on
  CHECK(hull.remove().exit_code == 0);
}

TEST_CASE("state.json has runc's keys", "[C2][L8]") {
  Bundle bundle;
  Hull hull(bundle);
  REQUIRE(hull.create().exit_code == 0);
  const Json state = Json::parse(read_file(hull.root() + "/" + hull.id() + "/state.json"));
  for (const char* key : {"id", "init_process_pid", "init_process_start", "created", "config",
                          "rootless", "cgroup_paths", "namespace_paths", "external_descriptors"})
    CHECK(state.contains(key));
  CHECK(state.at("init_process_pid") == hull.pid());
  CHECK(state.at("config").at("rootfs") == bundle.rootfs());
  for (const char* type : {"NEWNS", "NEWPID", "NEWNET", "NEWIPC", "NEWUTS"})
    CHECK(contains(state.at("namespace_paths").at(type).get<std::string>(),
                   "/proc/" + std::to_string(hull.pid()) + "/ns/"));
  CHECK(exists(hull.root() + "/" + hull.id() + "/exec.fifo"));
  REQUIRE(hull.start().exit_code == 0);
  CHECK_FALSE(exists(hull.root() + "/" + hull.id() + "/exec.fifo"));
}

TEST_CASE("pause freezes, resume thaws, and state tells", "[B36][C3][F29][L7][L19]") {
  Bundle bundle;
  bundle.script("while :; do echo x >> /ticks; sleep 0.01; done");
  Hull hull(bundle);
  hull.launch();
  REQUIRE(eventually([&] { return bundle.read("rootfs/ticks").size() > 4; }));
  REQUIRE(hull.command({"pause", hull.id()}).exit_code == 0);
  CHECK(hull.status() == "paused");
  const size_t ticks = bundle.read("rootfs/ticks").size();
  eventually([] { return false; }, std::chrono::milliseconds(150));
  CHECK(bundle.read("rootfs/ticks").size() == ticks);
  REQUIRE(hull.command({"resume", hull.id()}).exit_code == 0);
  CHECK(hull.status() == "running");
  CHECK(eventually([&] { return bundle.read("rootfs/ticks").size() > ticks; }));
}

TEST_CASE("pause and resume of a container in another status are errors", "[B36]") {
  Bundle bundle;
  bundle.args({"/bin/sleep", "100"});
  Hull hull(bundle);
  hull.launch();
  CHECK(hull.command({"resume", hull.id()}).exit_code != 0);
  REQUIRE(hull.kill().exit_code == 0);
  CHECK(hull.reaches("stopped"));
  CHECK(hull.command({"pause", hull.id()}).exit_code != 0);
}

TEST_CASE("a paused container is killed and deleted with --force", "[B24][users-ask-11][L25]") {
  Bundle bundle;
  bundle.args({"/bin/sleep", "100"});
  Hull hull(bundle);
  hull.launch();
  REQUIRE(hull.command({"pause", hull.id()}).exit_code == 0);
  CHECK(hull.remove({"--force"}).exit_code == 0);
  CHECK(processes_with(hull.id()).empty());
}

TEST_CASE("SIGKILL reaches a paused container without a resume", "[B21][users-ask-11]") {
  Bundle bundle;
  bundle.args({"/bin/sleep", "100"});
  Hull hull(bundle);
  hull.launch();
  REQUIRE(hull.command({"pause", hull.id()}).exit_code == 0);
  CHECK(hull.kill("KILL").exit_code == 0);
  CHECK(hull.reaches("stopped"));
}

TEST_CASE("a dead init in a frozen cgroup is stopped, not paused", "[C3][L45]") {
  if (by_systemd()) HULL_SKIP("systemd takes the cgroup away with its last process");
  Bundle bundle;
  bundle.args({"/bin/sleep", "100"});
  Hull hull(bundle);
  hull.launch();
  const std::string file = freezer_file(hull, hull.pid());
  REQUIRE(kill(hull.pid(), SIGKILL) == 0);
  CHECK(hull.reaches("stopped"));
  set_frozen(file, true);
  CHECK(hull.status() == "stopped");
  CHECK(hull.remove().exit_code == 0);
}

TEST_CASE("ps lists the container's processes as the host sees them", "[B35]") {
  Bundle bundle;
  bundle.script("sleep 98765 & sleep 100; true");
  Hull hull(bundle);
  hull.launch();
  // The shell has the number among its arguments, too.
  REQUIRE(eventually([&] { return processes_with("98765").size() == 2; }));
  const pid_t pid = hull.pid();
  const Outcome table = hull.command({"ps", hull.id()});
  CHECK(table.exit_code == 0);
  CHECK(contains(table.out, "PID"));
  CHECK(contains(table.out, "sleep 98765"));
  CHECK(contains(table.out, " " + std::to_string(pid) + " "));
  CHECK_FALSE(contains(table.out, "hull-container-tests"));

  const Json pids = Json::parse(hull.command({"ps", "--format", "json", hull.id()}).out);
  CHECK(pids.size() == 3);
  CHECK(std::find(pids.begin(), pids.end(), Json(pid)) != pids.end());

  const Outcome narrow = hull.command({"ps", hull.id(), "-o", "pid,comm"});
  CHECK(narrow.exit_code == 0);
  CHECK(contains(narrow.out, "sleep"));
  CHECK_FALSE(contains(narrow.out, "98765"));
}

TEST_CASE("a runtime that is killed while it runs a container leaves what delete --force removes",
          "[users-ask-7]") {
  Bundle bundle;
  bundle.args({"/bin/sleep", "100"});
  bundle.save();
  Hull hull(bundle);
  Process run(hull.argv({"run", "--bundle", bundle.dir(), hull.id()}));
  REQUIRE(hull.reaches("running"));
  // "running" is said as soon as the init is there; now the program is.
  REQUIRE(eventually([&] {
    return contains(read_file("/proc/" + std::to_string(hull.pid()) + "/cmdline"), "sleep");
  }));
  run.signal(SIGKILL);
  run.wait();
  CHECK(hull.status() == "running");
  CHECK(hull.remove({"--force"}).exit_code == 0);
}

TEST_CASE("create killed at any instant leaves what delete --force removes",
          "[users-ask-7][faults]") {
  Bundle bundle;
  bundle.save();
  for (int microseconds = 200; microseconds < 12'000; microseconds += 400) {
    Hull hull(bundle);
    Process create(hull.argv({"create", "--bundle", bundle.dir(), hull.id()}));
    const timespec pause{0, microseconds * 1000L};
    nanosleep(&pause, nullptr);
    create.signal(SIGKILL);
    create.wait();
    const Outcome removed = hull.remove({"--force"});
    INFO(microseconds << " us: " << removed.err);
    CHECK(removed.exit_code == 0);
  }
}

}  // namespace hull::conformance
