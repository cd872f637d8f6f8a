// create, start, state, kill, delete as the specification's life cycle says.
#include <unistd.h>

#include <csignal>
#include <memory>

#include "conformance/container/bundle.h"
#include "conformance/container/host.h"
#include "conformance/container/hull.h"
#include "libruntime/system/catch.h"
#include "libruntime/system/files.h"

namespace hull::conformance {

TEST_CASE("a created container has done nothing until it is started", "[B1][B16][L44]") {
  Bundle bundle;
  bundle.script("echo yes > /started");
  Hull hull(bundle);
  REQUIRE(hull.create().exit_code == 0);
  CHECK(hull.status() == "created");
  CHECK_FALSE(exists(bundle.rootfs("/started")));
  REQUIRE(hull.start().exit_code == 0);
  CHECK(hull.reaches("stopped"));
  CHECK(bundle.read("rootfs/started") == "yes\n");
  CHECK(hull.remove().exit_code == 0);
  CHECK(hull.status().empty());
}

TEST_CASE("state has all that the specification asks for", "[B18][L9]") {
  Bundle bundle;
  bundle.config["annotations"] = {{"org.example.key", "value"}};
  bundle.args({"/bin/sleep", "100"});
  Hull hull(bundle);
  hull.launch();
  const Json state = hull.state();
  CHECK(state.at("ociVersion").is_string());
  CHECK(state.at("id") == hull.id());
  CHECK(state.at("status") == "running");
  CHECK(state.at("bundle") == bundle.dir());
  CHECK(state.at("annotations").at("org.example.key") == "value");
  CHECK(state.at("rootfs") == bundle.rootfs());
  CHECK(state.at("owner").is_string());
  CHECK(contains(state.at("created").get<std::string>(), "T"));
  const pid_t pid = state.at("pid");
  CHECK(contains(read_file("/proc/" + std::to_string(pid) + "/cmdline"), "sleep"));
  REQUIRE(hull.kill().exit_code == 0);
  CHECK(hull.reaches("stopped"));
  CHECK(hull.state().at("pid") == 0);
}

TEST_CASE("the bundle is the current directory when none is named", "[B2]") {
  Bundle bundle;
  bundle.save();
  Hull hull(bundle);
  CHECK(hull.command({"create", hull.id()}, {.dir = bundle.dir()}).exit_code == 0);
  CHECK(hull.state().at("bundle") == bundle.dir());
}

TEST_CASE("a bundle that is not there or has no config.json is an error", "[B2]") {
  Bundle bundle;
  Hull hull(bundle);
  CHECK(hull.command({"create", "--bundle", "/tmp/hull-test-absent", hull.id()}).exit_code == 1);
  const Outcome empty = hull.command({"create", "--bundle", bundle.dir(), hull.id()});
  CHECK(empty.exit_code == 1);
  CHECK(contains(empty.err, "config.json"));
}

TEST_CASE("an ID can be used once at a time", "[B51][B52]") {
  Bundle bundle;
  Hull hull(bundle);
  REQUIRE(hull.create().exit_code == 0);
  const pid_t pid = hull.pid();
  const Outcome again = hull.create();
  CHECK(again.exit_code == 1);
  CHECK(contains(again.err, "container with given ID already exists"));
  CHECK(hull.status() == "created");  // the first is untouched
  CHECK(hull.pid() == pid);
  REQUIRE(hull.remove({"--force"}).exit_code == 0);
  CHECK(hull.create().exit_code == 0);
}

TEST_CASE("of many creates with one ID at once exactly one succeeds", "[B52][L27]") {
  Bundle bundle;
  bundle.save();
  Hull hull(bundle);
  std::vector<std::unique_ptr<Process>> runs;
  for (int i = 0; i < 6; ++i)
    runs.push_back(
        std::make_unique<Process>(hull.argv({"create", "--bundle", bundle.dir(), hull.id()})));
  int succeeded = 0;
  for (const auto& run : runs) succeeded += run->wait().exit_code == 0 ? 1 : 0;
  CHECK(succeeded == 1);
  CHECK(hull.status() == "created");
}

TEST_CASE("only a created container can be started", "[B16][L16]") {
  Bundle bundle;
  bundle.args({"/bin/sleep", "100"});
  Hull hull(bundle);
  CHECK(contains(hull.start().err, "container does not exist"));
  hull.launch();
  const Outcome running = hull.start();
  CHECK(running.exit_code == 1);
  CHECK(contains(running.err, "cannot start an already running container"));
  hull.kill();
  CHECK(hull.reaches("stopped"));
  const Outcome stopped = hull.start();
  CHECK(stopped.exit_code == 1);
  CHECK(contains(stopped.err, "cannot start a container that has stopped"));
}

TEST_CASE("start of a very short program always succeeds", "[B16][users-ask-29]") {
  Bundle bundle;
  for (int i = 0; i < 20; ++i) {
    Hull hull(bundle);
    REQUIRE(hull.create().exit_code == 0);
    const Outcome started = hull.start();
    INFO(started.err);
    CHECK(started.exit_code == 0);
  }
}

TEST_CASE("the container never sees start's descriptors or the fifo", "[C1][C16]") {
  Bundle bundle;
  CHECK(output_of(bundle, "ls /proc/self/fd | sort -n | tr '\\n' ' '") ==
        "0 1 2 3 ");  // 3 is ls's own
  bundle.script("exec > /fds; exec ls /proc/self/fd");
  Hull hull(bundle);
  hull.launch();
  CHECK(hull.reaches("stopped"));
  CHECK(bundle.read("rootfs/fds") == "0\n1\n2\n3\n");
}

TEST_CASE("a container without process can be created but not started", "[D23]") {
  Bundle bundle;
  bundle.config.erase("process");
  Hull hull(bundle);
  const Outcome created = hull.create();
  INFO(created.err);
  REQUIRE(created.exit_code == 0);
  CHECK(hull.status() == "created");
  CHECK(hull.start().exit_code == 1);
}

TEST_CASE("a program that is not there makes create or start fail, and names it", "[B17][C10]") {
  Bundle bundle;
  bundle.args({"no-such-program"});
  Hull hull(bundle);
  const Outcome created = hull.create();
  const Outcome failed = created.exit_code != 0 ? created : hull.start();
  CHECK(failed.exit_code == 1);
  CHECK(contains(failed.err, "no-such-program"));
}

TEST_CASE("a failed create leaves nothing", "[C10][faults]") {
  Bundle bundle;
  bundle.mount("/mnt", "no-such-fs", "none", {});
  Hull hull(bundle);
  CHECK(hull.create().exit_code == 1);
  CHECK_FALSE(exists(hull.root() + "/" + hull.id()));
  CHECK(cgroups_with(hull.id()).empty());
  CHECK(processes_with(hull.id()).empty());
}

TEST_CASE("kill takes signals by number, name and full name, in any case", "[B21][L18]") {
  Bundle bundle;
  bundle.script(
      "trap 'echo hup >> /got' HUP; trap 'echo term >> /got' TERM; trap 'echo usr1 >> /got' USR1;"
      "echo ready > /got; while :; do sleep 0.01; done");
  Hull hull(bundle);
  hull.launch();
  REQUIRE(eventually([&] { return bundle.read("rootfs/got") == "ready\n"; }));
  std::string expected = "ready\n";
  for (const auto& [signal, name] : std::vector<std::pair<std::string, std::string>>{
           {"1", "hup"}, {"HUP", "hup"}, {"sighup", "hup"}, {"SIGUSR1", "usr1"}, {"", "term"}}) {
    INFO(signal);
    std::vector<std::string> words = {"kill", hull.id()};
    if (!signal.empty()) words.push_back(signal);  // SIGTERM by default
    CHECK(hull.command(words).exit_code == 0);
    expected += name + "\n";
    CHECK(eventually([&] { return bundle.read("rootfs/got") == expected; }));
  }
  CHECK(hull.kill("NOSUCH").exit_code == 1);
  CHECK(hull.status() == "running");
}

TEST_CASE("kill reaches a created container too", "[B21]") {
  Bundle bundle;
  Hull hull(bundle);
  REQUIRE(hull.create().exit_code == 0);
  CHECK(hull.kill("KILL").exit_code == 0);
  CHECK(hull.reaches("stopped"));
}

TEST_CASE("kill of a stopped or missing container is an error", "[B21]") {
  Bundle bundle;
  Hull hull(bundle);
  CHECK(contains(hull.kill().err, "container does not exist"));
  hull.launch();
  CHECK(hull.reaches("stopped"));
  const Outcome again = hull.kill();
  CHECK(again.exit_code == 1);
  CHECK(contains(again.err, "container not running"));
}

TEST_CASE("kill --all reaches every process of the container", "[B22]") {
  Bundle bundle;
  bundle.remove_name_space("pid");
  bundle.script("sleep 100 & sleep 100 & sleep 100 & wait");
  Hull hull(bundle);
  hull.launch();
  REQUIRE(eventually([&] { return processes_with(hull.id()).size() >= 4; }));
  CHECK(hull.command({"kill", "--all", hull.id(), "KILL"}).exit_code == 0);
  CHECK(eventually([&] { return processes_with(hull.id()).empty(); }));
  CHECK(hull.reaches("stopped"));
}

TEST_CASE("without a pid namespace SIGKILL to the init takes the others along", "[B22]") {
  Bundle bundle;
  bundle.remove_name_space("pid");
  bundle.script("sleep 100 & sleep 100 & sleep 100 & wait");
  Hull hull(bundle);
  hull.launch();
  REQUIRE(eventually([&] { return processes_with(hull.id()).size() >= 4; }));
  CHECK(hull.kill("KILL").exit_code == 0);
  CHECK(eventually([&] { return processes_with(hull.id()).empty(); }));
}

TEST_CASE("nor does the end of an init end the others in a pid namespace that was joined",
          "[B22][B24][E2]") {
  Bundle first;
  first.args({"/bin/sleep", "100"});
  Hull owner(first);
  owner.launch();
  Bundle second;
  second.name_space("pid")["path"] = "/proc/" + std::to_string(owner.pid()) + "/ns/pid";
  second.script("sleep 100 & sleep 100 & sleep 100 & wait");
  Hull hull(second);
  hull.launch();
  REQUIRE(eventually([&] { return processes_with(hull.id()).size() >= 4; }));
  SECTION("SIGKILL to the init takes them along") {
    CHECK(hull.kill("KILL").exit_code == 0);
    CHECK(eventually([&] { return processes_with(hull.id()).empty(); }));
  }
  SECTION("delete does, when the init has ended") {
    REQUIRE(::kill(hull.pid(), SIGKILL) == 0);
    CHECK(hull.reaches("stopped"));
    const Outcome deleted = hull.remove();
    INFO(deleted.err);
    CHECK(deleted.exit_code == 0);
  }
  CHECK(owner.status() == "running");
}

TEST_CASE("a running container is deleted with --force only", "[B24]") {
  Bundle bundle;
  bundle.script("trap '' TERM; sleep 100 & sleep 100");
  Hull hull(bundle);
  hull.launch();
  const Outcome refused = hull.remove();
  CHECK(refused.exit_code == 1);
  CHECK(contains(refused.err, "not stopped"));
  CHECK(hull.status() == "running");
  CHECK(hull.remove({"--force"}).exit_code == 0);
  CHECK(hull.status().empty());
  CHECK(processes_with(hull.id()).empty());
}

TEST_CASE("a created container can be deleted", "[B24][L25]") {
  Bundle bundle;
  Hull hull(bundle);
  REQUIRE(hull.create().exit_code == 0);
  CHECK(hull.remove().exit_code == 0);
  CHECK(hull.status().empty());
}

TEST_CASE("delete of a missing container is an error, but not with --force", "[B24]") {
  Bundle bundle;
  Hull hull(bundle);
  const Outcome missing = hull.remove();
  CHECK(missing.exit_code == 1);
  CHECK(contains(missing.err, "container does not exist"));
  CHECK(hull.remove({"--force"}).exit_code == 0);
}

TEST_CASE("delete removes the cgroups that the container made below its own", "[B24][F31]") {
  Bundle bundle;
  bundle.args({"/bin/sleep", "100"});
  Hull hull(bundle);
  hull.launch();
  const std::string below = cgroup_of(hull.pid(), "pids") + "/below";
  make_directories(below + "/deep", 0755);
  CHECK(hull.remove({"--force"}).exit_code == 0);
  CHECK_FALSE(exists(below));
}

TEST_CASE("delete --force clears what a killed create left", "[B24][users-ask-7]") {
  Bundle bundle;
  for (const char* content : {"", "{\"id\": \"x", "no file"}) {
    Hull hull(bundle);
    make_directories(hull.root() + "/" + hull.id(), 0711);
    if (std::string(content) != "no file")
      write_file(hull.root() + "/" + hull.id() + "/state.json", content);
    const Outcome removed = hull.remove({"--force"});
    INFO(content << removed.err);
    CHECK(removed.exit_code == 0);
    CHECK_FALSE(exists(hull.root() + "/" + hull.id()));
    CHECK(hull.create().exit_code == 0);
  }
}

TEST_CASE("delete --force ends a fork bomb", "[B24][users-ask-6]") {
  Bundle bundle;
  bundle.config["linux"]["resources"]["pids"]["limit"] = 60;
  bundle.script("bomb() { bomb & bomb & sleep 0.2; bomb; }; bomb");
  Hull hull(bundle);
  hull.launch();
  CHECK(eventually([&] { return processes_with(hull.id()).size() > 20; }));
  CHECK(hull.remove({"--force"}).exit_code == 0);
  CHECK(processes_with(hull.id()).empty());
}

TEST_CASE("kill and delete --regex take all containers whose ID matches", "[B23]") {
  Bundle bundle;
  bundle.config["linux"].erase("cgroupsPath");
  bundle.args({"/bin/sleep", "100"});
  bundle.save();
  const Hull hull(bundle);
  const auto id = [&](const char* end) { return hull.id() + end; };
  for (const char* end : {"-a1", "-a2", "-b1"})
    REQUIRE(hull.command({"run", "-d", "--bundle", bundle.dir(), id(end)}).exit_code == 0);
  const auto statuses = [&] {
    std::string out;
    for (const Json& one : Json::parse(hull.command({"list", "--format", "json"}).out))
      out += one.at("status").get<std::string>() + " ";
    return out;
  };
  // An extended regular expression, which may match any part of the ID.
  CHECK(hull.command({"kill", "--regex", "^" + hull.id() + "-(a1|a2)$", "KILL"}).exit_code == 0);
  CHECK(eventually([&] { return statuses() == "stopped stopped running "; }));
  CHECK(hull.command({"kill", "--regex", "a[12]$", "KILL"}).exit_code != 0);  // they run no more
  CHECK(hull.command({"kill", "--regex", "no such", "KILL"}).exit_code == 0);
  const Outcome wrong = hull.command({"kill", "--regex", "a(", "KILL"});
  CHECK(wrong.exit_code == 1);
  CHECK(contains(wrong.err, "invalid regular expression"));

  // One that can't be deleted does not keep the others.
  const Outcome some = hull.command({"delete", "--regex", hull.id()});
  CHECK(some.exit_code == 1);
  CHECK(contains(some.err, "not stopped: running"));
  CHECK(statuses() == "running ");
  CHECK(hull.command({"delete", "--force", "--regex", "b.$"}).exit_code == 0);
  CHECK(statuses().empty());
}

TEST_CASE("create and run take another name than config.json", "[B3]") {
  Bundle bundle;
  bundle.script("echo other");
  write_file(bundle.dir() + "/other.json", bundle.config.dump());
  bundle.script("echo config.json");
  Hull hull(bundle);
  // As a file name it is the caller's, not the bundle's.
  CommandOptions in_bundle;
  in_bundle.dir = bundle.dir();
  CHECK(hull.run({"--config", "other.json"}, in_bundle).out == "other\n");
  CHECK(hull.run({"-f", bundle.dir() + "/other.json"}).out == "other\n");
  const Outcome missing = hull.create({"--config", bundle.dir() + "/none.json"});
  CHECK(missing.exit_code == 1);
  CHECK(contains(missing.err, "none.json not found"));
  REQUIRE(hull.create({"--config", bundle.dir() + "/other.json"}).exit_code == 0);
  CHECK(hull.status() == "created");
}

TEST_CASE("no mount of a container shows on the host", "[users-ask-8]") {
  Bundle bundle;
  bundle.args({"/bin/sleep", "100"});
  const std::string before = read_file("/proc/self/mountinfo");
  Hull hull(bundle);
  REQUIRE(hull.create().exit_code == 0);
  CHECK(read_file("/proc/self/mountinfo") == before);
  REQUIRE(hull.start().exit_code == 0);
  CHECK(read_file("/proc/self/mountinfo") == before);
}

TEST_CASE("delete --force does not wait for a hook that hangs", "[B24][H1]") {
  for (const std::string kind : {"createRuntime", "startContainer"}) {
    INFO(kind);
    Bundle bundle;
    bundle.hook(kind, "echo > /tmp/$MARK; exec sleep 100");
    bundle.save();
    Hull hull(bundle);
    const bool at_start = kind == "startContainer";
    if (at_start) REQUIRE(hull.create().exit_code == 0);
    Process waits(
        hull.argv(at_start ? std::vector<std::string>{"start", hull.id()}
                           : std::vector<std::string>{"create", "-b", bundle.dir(), hull.id()}));
    const std::string file = "/tmp/" + bundle.mark();
    REQUIRE(eventually([&] { return exists(file) || exists(bundle.rootfs(file)); }));
    const Outcome removed = hull.remove({"--force"});
    INFO(removed.err);
    CHECK(removed.exit_code == 0);
    const Outcome ended = waits.wait();
    CHECK(ended.exit_code == 1);
    CHECK_FALSE(ended.err.empty());
    unlink(file.c_str());
  }
}

}  // namespace hull::conformance
