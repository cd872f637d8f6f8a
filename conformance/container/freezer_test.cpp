// Frozen cgroups: nothing hangs, and who is frozen by what is told.
#include <unistd.h>

#include <csignal>
#include <ctime>

#include "conformance/container/bundle.h"
#include "conformance/container/host.h"
#include "conformance/container/hull.h"
#include "libruntime/system/catch.h"
#include "libruntime/system/files.h"

namespace hull::conformance {
namespace {

bool freezer_is_v1() { return has_controller("freezer") && !in_cgroup_v2("freezer"); }

// A running container in a cgroup whose parent can be frozen.
struct Nested {
  explicit Nested(bool pid_namespace = true) {
    bundle.config["linux"]["cgroupsPath"] = "/" + bundle.mark() + "/inner";
    if (!pid_namespace) bundle.remove_name_space("pid");
    bundle.args({"/bin/sleep", "100"});
  }
  ~Nested() {
    if (!parent.empty()) freeze(false);
    CHECK(hull.remove({"--force"}).exit_code == 0);
    CHECK(eventually([&] {
      for (const std::string& path : cgroups_with(bundle.mark())) rmdir(path.c_str());
      return cgroups_with(bundle.mark()).empty();
    }));
  }
  Nested(const Nested&) = delete;
  Nested& operator=(const Nested&) = delete;

  void freeze(bool frozen) {
    if (parent.empty()) {
      const std::string own = cgroup_of(hull.pid(), freezer_is_v1() ? "freezer" : "");
      parent = own.substr(0, own.rfind('/'));
    }
    const std::string events = parent + "/cgroup.events";
    if (!exists(events)) {
      write_existing(parent + "/freezer.state", frozen ? "FROZEN" : "THAWED");
      return;
    }
    write_existing(parent + "/cgroup.freeze", frozen ? "1" : "0");
    CHECK(
        eventually([&] { return contains(read_file(events), frozen ? "frozen 1" : "frozen 0"); }));
  }
  // Fails soon, and names the cgroup.
  void refused(const std::vector<std::string>& words, const std::string& text) {
    const auto before = std::chrono::steady_clock::now();
    const Outcome done = hull.command(words);
    INFO(words[0] << ": " << done.err);
    CHECK(done.exit_code != 0);
    CHECK(contains(done.err, text));
    CHECK(contains(done.err, parent + "\\\" is frozen"));
    CHECK(std::chrono::steady_clock::now() - before < std::chrono::seconds(8));
  }

  Bundle bundle;
  Hull hull{bundle};
  std::string parent;
};

// Kills the command after `microseconds`.
void cut_short(const Hull& hull, const std::vector<std::string>& words, long microseconds) {
  Process command(hull.argv(words));
  const timespec pause{0, microseconds * 1000L};
  nanosleep(&pause, nullptr);
  command.signal(SIGKILL);
  command.wait();
}

}  // namespace

TEST_CASE("a container in a frozen cgroup is not paused, and can be asked", "[B36][users-ask-11]") {
  Nested c;
  c.hull.launch();
  c.freeze(true);
  CHECK(c.hull.status() == "running");
  CHECK(contains(c.hull.command({"list"}).out, c.hull.id()));
  CHECK(c.hull.command({"ps", c.hull.id()}).exit_code == 0);
  CHECK(c.hull.command({"events", "--stats", c.hull.id()}).exit_code == 0);
  c.refused({"resume", c.hull.id()}, "container not paused");
  // Of its own it can be paused: then it stays so when the parent thaws.
  CHECK(c.hull.command({"pause", c.hull.id()}).exit_code == 0);
  CHECK(c.hull.status() == "paused");
  c.freeze(false);
  CHECK(c.hull.status() == "paused");
  CHECK(c.hull.command({"resume", c.hull.id()}).exit_code == 0);
  CHECK(c.hull.inside("echo runs") == "runs");
}

TEST_CASE("resume says which cgroup keeps the container frozen", "[B36][users-ask-11]") {
  Nested c;
  c.hull.launch();
  CHECK(c.hull.command({"pause", c.hull.id()}).exit_code == 0);
  c.freeze(true);
  const Outcome done = c.hull.command({"resume", c.hull.id()});
  INFO(done.err);
  CHECK(done.exit_code == 1);
  CHECK(contains(done.err, "stays frozen, because \\\"" + c.parent + "\\\" is"));
  c.freeze(false);
  CHECK(c.hull.inside("echo runs") == "runs");
}

TEST_CASE("exec and start in a frozen cgroup are refused, and work when it thaws",
          "[B16][B33][users-ask-1][users-ask-11]") {
  Nested c;
  REQUIRE(c.hull.create().exit_code == 0);
  c.freeze(true);
  c.refused({"start", c.hull.id()}, "cannot start the container");
  c.refused({"exec", c.hull.id(), "/bin/true"}, "cannot exec in the container");
  CHECK(c.hull.status() == "created");
  c.freeze(false);
  CHECK(c.hull.start().exit_code == 0);
  c.freeze(true);
  Process waiting(c.hull.argv({"exec", "--ignore-paused", c.hull.id(), "/bin/echo", "thawed"}));
  const timespec longer_than_the_patience{0, 600'000'000};
  nanosleep(&longer_than_the_patience, nullptr);
  c.freeze(false);
  CHECK(waiting.wait().out == "thawed\n");
}

TEST_CASE("a paused created container is not started", "[B16][B36]") {
  Bundle bundle;
  bundle.args({"/bin/sleep", "100"});
  Hull hull(bundle);
  REQUIRE(hull.create().exit_code == 0);
  REQUIRE(hull.command({"pause", hull.id()}).exit_code == 0);
  const Outcome refused = hull.start();
  CHECK(refused.exit_code == 1);
  CHECK(contains(refused.err, "cannot start a container in the paused state"));
  REQUIRE(hull.command({"resume", hull.id()}).exit_code == 0);
  CHECK(hull.start().exit_code == 0);
  CHECK(hull.status() == "running");
}

TEST_CASE("kill and delete in a frozen cgroup say what holds the container back",
          "[B21][B24][users-ask-11]") {
  if (!freezer_is_v1()) HULL_SKIP("with cgroup v2 SIGKILL works in a frozen cgroup");
  const bool own_pids = GENERATE(true, false);
  CAPTURE(own_pids);
  Nested c(own_pids);
  c.hull.launch();
  c.freeze(true);
  const Outcome killed = c.hull.kill();
  INFO(killed.err);
  CHECK(killed.exit_code == 0);
  CHECK(contains(killed.err, "cgroup \\\"" + c.parent + "\\\" thaws"));
  c.refused({"delete", "--force", c.hull.id()}, "container init still running");
  CHECK(c.hull.status() == "running");
  c.freeze(false);
  CHECK(c.hull.reaches("stopped"));
}

TEST_CASE("with cgroup v2 a container in a frozen cgroup is killed and deleted", "[B24]") {
  if (freezer_is_v1()) HULL_SKIP("the freezer is cgroup v1's here");
  Nested c;
  c.hull.launch();
  c.freeze(true);
  CHECK(c.hull.kill().exit_code == 0);
  CHECK(c.hull.reaches("stopped"));
}

TEST_CASE("create does not wait for an init that is frozen half-way", "[B1][users-ask-1]") {
  if (!freezer_is_v1()) HULL_SKIP("the freezer is not cgroup v1's here");
  Nested c;
  c.parent = "/sys/fs/cgroup/freezer/" + c.bundle.mark();
  c.bundle.hook("createRuntime", "echo FROZEN > " + c.parent + "/freezer.state");
  const Outcome done = c.hull.create();
  INFO(done.err);
  CHECK(done.exit_code == 1);
  CHECK(contains(done.err, "the new process is held: cgroup \\\"" + c.parent + "\\\" is frozen"));
  CHECK(contains(done.err, "thaws"));
}

TEST_CASE("a process that is frozen on its way in does not keep exec waiting",
          "[B25][users-ask-1]") {
  if (!freezer_is_v1() || !exists("/sys/fs/cgroup/unified/cgroup.procs"))
    HULL_SKIP("needs a hybrid host: a frozen v2 cgroup beside the v1 freezer");
  Nested c;
  c.hull.launch();
  const std::string unified = cgroup_of(c.hull.pid(), "");
  c.parent = unified.substr(0, unified.rfind('/'));
  c.freeze(true);
  c.refused({"exec", c.hull.id(), "/bin/true"}, "cannot exec in the container");
}

TEST_CASE("pause, resume and kill that are killed half-way leave what the next command undoes",
          "[B36][users-ask-11]") {
  Bundle bundle;
  bundle.remove_name_space("pid");
  bundle.script("while :; do sleep 0.01; done");
  Hull hull(bundle);
  hull.launch();
  for (long microseconds = 0; microseconds < 6000; microseconds += 400) {
    CAPTURE(microseconds);
    cut_short(hull, {"pause", hull.id()}, microseconds);
    const std::string now = hull.status();
    CHECK((now == "paused" || now == "running"));
    if (now == "paused") {
      cut_short(hull, {"resume", hull.id()}, microseconds);
      if (hull.status() == "paused") CHECK(hull.command({"resume", hull.id()}).exit_code == 0);
    }
    REQUIRE(hull.status() == "running");
    REQUIRE(hull.inside("echo runs") == "runs");
  }
  for (long microseconds = 0; microseconds < 6000; microseconds += 400) {
    CAPTURE(microseconds);
    cut_short(hull, {"kill", hull.id(), "KILL"}, microseconds);
    CHECK(hull.remove({"--force"}).exit_code == 0);
    CHECK(cgroups_with(hull.id()).empty());
    hull.launch();
  }
}

}  // namespace hull::conformance
