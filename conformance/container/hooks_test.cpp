// Hooks: six kinds, their order, place, state, time limits and failures
// (config.md#posix-platform-hooks).
#include <chrono>

#include "conformance/container/bundle.h"
#include "conformance/container/host.h"
#include "conformance/container/hull.h"
#include "libruntime/system/catch.h"
#include "libruntime/system/files.h"

namespace hull::conformance {
namespace {

const std::vector<std::string> kHostKinds = {"prestart", "createRuntime", "poststart", "poststop"};
const std::vector<std::string> kAllKinds = {"prestart",       "createRuntime", "createContainer",
                                            "startContainer", "poststart",     "poststop"};

}  // namespace

TEST_CASE("hooks run in the order of the life cycle", "[D44][D45][D46][D47][D48][D49]") {
  Bundle bundle;
  // The bundle's log is reached by its host path before pivot_root, and through a bind mount after
  // it.
  write_file(bundle.dir() + "/log", "");
  bundle.bind(bundle.dir() + "/log", "/log");
  for (const std::string& kind : kAllKinds) {
    const std::string file = kind == "startContainer" ? "/log" : bundle.dir() + "/log";
    bundle.hook(kind, "echo " + kind + " >> " + file);
    bundle.hook(kind, "echo " + kind + "2 >> " + file);
  }
  bundle.script("echo program >> /log; exec sleep 100");
  Hull hull(bundle);
  REQUIRE(hull.create().exit_code == 0);
  CHECK(bundle.read("log") ==
        "prestart\nprestart2\ncreateRuntime\ncreateRuntime2\ncreateContainer\ncreateContainer2\n");
  REQUIRE(hull.start().exit_code == 0);
  CHECK(eventually([&] { return contains(bundle.read("log"), "program"); }));
  const std::string started = bundle.read("log");
  INFO(started);
  CHECK(started.find("startContainer2\n") < started.find("program\n"));
  CHECK(contains(started, "poststart\npoststart2\n") !=
        contains(started, "poststart\nprogram\npoststart2\n"));
  CHECK_FALSE(contains(started, "poststop"));
  REQUIRE(hull.remove({"--force"}).exit_code == 0);
  const std::string stopped = bundle.read("log");
  CHECK(contains(stopped, "poststop\npoststop2\n"));
}

TEST_CASE("run runs all hooks too", "[D44][D49][B10]") {
  Bundle bundle;
  write_file(bundle.dir() + "/log", "");
  bundle.bind(bundle.dir() + "/log", "/log");
  for (const std::string& kind : kAllKinds)
    bundle.hook(kind, "echo " + kind + " >> " +
                          (kind == "startContainer" ? "/log" : bundle.dir() + "/log"));
  bundle.script("sleep 0.2");
  CHECK(Hull(bundle).run().exit_code == 0);
  CHECK(bundle.read("log") ==
        "prestart\ncreateRuntime\ncreateContainer\nstartContainer\npoststart\npoststop\n");
}

TEST_CASE("each hook reads the state with the right status on its stdin", "[D50]") {
  Bundle bundle;
  bundle.config["annotations"] = {{"org.example.key", "value"}};
  make_directories(bundle.dir() + "/out", 0777);
  bundle.bind(bundle.dir() + "/out", "/out");
  for (const std::string& kind : kAllKinds)
    bundle.hook(kind,
                "cat > " + (kind == "startContainer" ? "/out/" : bundle.dir() + "/out/") + kind);
  bundle.args({"/bin/sleep", "100"});
  std::string id;
  pid_t pid = 0;
  {
    Hull hull(bundle);
    id = hull.id();
    hull.launch();
    pid = hull.pid();
  }
  for (const auto& [kind, status] :
       std::vector<std::pair<std::string, std::string>>{{"prestart", "creating"},
                                                        {"createRuntime", "creating"},
                                                        {"createContainer", "creating"},
                                                        {"startContainer", "created"},
                                                        {"poststart", "running"},
                                                        {"poststop", "stopped"}}) {
    INFO(kind);
    const std::string text = bundle.read("out/" + kind);
    REQUIRE_FALSE(text.empty());
    const Json state = Json::parse(text);
    CHECK(state.at("id") == id);
    CHECK(state.at("status") == status);
    CHECK(state.at("bundle") == bundle.dir());
    CHECK(state.at("annotations").at("org.example.key") == "value");
    CHECK(state.contains("ociVersion"));
    if (kind == "poststop")
      CHECK(state.value("pid", 0) == 0);
    else if (kind != "startContainer" && kind != "createContainer")
      CHECK(state.at("pid") == pid);
  }
}

TEST_CASE("hooks of the runtime run in the host's namespaces, those of the container in its own",
          "[D44][D45][D46][D47]") {
  Bundle bundle;
  make_directories(bundle.dir() + "/out", 0777);
  bundle.bind(bundle.dir() + "/out", "/out");
  for (const std::string& kind : kAllKinds)
    bundle.hook(kind, "{ readlink /proc/self/ns/uts; readlink /proc/self/ns/mnt; hostname; } > " +
                          (kind == "startContainer" ? "/out/" : bundle.dir() + "/out/") + kind +
                          " 2>&1");
  bundle.script(
      "{ readlink /proc/self/ns/uts; readlink /proc/self/ns/mnt; hostname; } > /out/program; exec "
      "sleep 100");
  {
    Hull hull(bundle);
    hull.launch();
    REQUIRE(eventually([&] { return contains(bundle.read("out/program"), "box"); }));
  }
  const std::string host =
      run_command(
          {"/bin/sh", "-c", "readlink /proc/self/ns/uts; readlink /proc/self/ns/mnt; hostname"})
          .out;
  const std::string inside = bundle.read("out/program");
  for (const std::string& kind : kHostKinds) {
    INFO(kind);
    CHECK(bundle.read("out/" + kind) == host);
  }
  CHECK(bundle.read("out/startContainer") == inside);
  // createContainer: the container's namespaces; the hostname may come later.
  CHECK(bundle.read("out/createContainer").substr(0, inside.rfind("box")) ==
        inside.substr(0, inside.rfind("box")));
}

TEST_CASE("createContainer hooks run before pivot_root, with the container's mounts made",
          "[D46]") {
  Bundle bundle;
  bundle.mount("/mnt/inside", "tmpfs", "tmpfs", {});
  bundle.hook("createContainer", "grep -c \"" + bundle.rootfs("/mnt/inside") +
                                     " \" /proc/self/mountinfo > " + bundle.dir() + "/count");
  CHECK(output_of(bundle, "echo ok") == "ok");
  CHECK(bundle.read("count") == "1\n");
}

TEST_CASE("a createRuntime hook can prepare the container's network", "[D45]") {
  Bundle bundle;
  bundle.hook("createRuntime",
              "pid=$(sed 's/.*\"pid\": *\\([0-9]*\\).*/\\1/' | tr -cd '0-9'); test -d /proc/$pid "
              "&& echo $pid > hook-pid");
  bundle.script("exec sleep 100");
  Hull hull(bundle);
  hull.launch();
  CHECK(bundle.read("hook-pid") == std::to_string(hull.pid()) + "\n");
}

TEST_CASE("a hook has exactly the arguments and environment it is given, and starts in the bundle",
          "[D50]") {
  Bundle bundle;
  bundle.config["hooks"]["createRuntime"] = {
      {{"path", "/bin/busybox"},
       {"args",
        {"sh", "-c",
         "{ echo $0 $1; env | grep -v -e ^PATH -e ^PWD -e ^SHLVL -e ^OLDPWD; pwd; } > out", "zero",
         "one"}},
       {"env", {"ONLY=this"}}}};  // busybox sh itself adds PATH
  CHECK(output_of(bundle, "echo ok") == "ok");
  CHECK(bundle.read("out") == "zero one\nONLY=this\n" + bundle.dir() + "\n");
}

TEST_CASE("a failing hook before start fails create or run, names itself and shows its output",
          "[D44][D45][D46][users-ask-24]") {
  for (const char* kind : {"prestart", "createRuntime", "createContainer"}) {
    Bundle bundle;
    bundle.hook(kind, "true");
    bundle.hook(kind, "echo the reason >&2; exit 6");
    bundle.hook(kind, "echo never > " + bundle.dir() + "/never");
    Hull hull(bundle);
    const Outcome created = hull.create();
    INFO(kind << ": " << created.err);
    CHECK(created.exit_code == 1);
    CHECK(contains(created.err, kind));
    CHECK(contains(created.err, "6"));
    CHECK(contains(created.err, "the reason"));
    CHECK_FALSE(exists(bundle.dir() + "/never"));
    CHECK_FALSE(exists(hull.root() + "/" + hull.id()));
  }
}

TEST_CASE("a failing startContainer hook makes start fail", "[D47][B17]") {
  Bundle bundle;
  bundle.hook("startContainer", "echo the reason >&2; exit 6");
  bundle.script("echo ran > /ran");
  Hull hull(bundle);
  REQUIRE(hull.create().exit_code == 0);
  const Outcome started = hull.start();
  INFO(started.err);
  CHECK(started.exit_code == 1);
  CHECK(contains(started.err, "error running startContainer hook #0:"));
  CHECK(contains(started.err, "the reason"));
  CHECK(hull.status().empty());  // deleted, as runtime.md#lifecycle has it
  CHECK_FALSE(exists(bundle.rootfs("/ran")));
  CHECK(Hull(bundle).run().exit_code == 1);
}

TEST_CASE("a failing poststart hook is an error, and the container is stopped and deleted",
          "[D48]") {
  Bundle bundle;
  bundle.hook("poststart", "exit 6");
  bundle.hook("poststart", "echo never > never");
  bundle.hook("poststop", "cat > stopped");
  bundle.args({"/bin/sleep", "100"});
  Hull hull(bundle);
  REQUIRE(hull.create().exit_code == 0);
  const pid_t pid = hull.pid();
  const Outcome started = hull.start();
  CHECK(started.exit_code == 1);
  CHECK(contains(started.err, "error running poststart hook #0:"));
  CHECK(hull.status().empty());
  CHECK_FALSE(exists("/proc/" + std::to_string(pid)));
  CHECK(Json::parse(bundle.read("stopped")).at("status") == "stopped");
  CHECK_FALSE(exists(bundle.dir() + "/never"));

  const Outcome ran = Hull(bundle).run({"--detach"});
  CHECK(ran.exit_code == 1);
  CHECK(contains(ran.err, "poststart"));
}

TEST_CASE("poststart hooks run after the program was started, before start returns", "[D48]") {
  Bundle bundle;
  bundle.hook("poststart",
              "pid=$(tr -d ' ' | sed 's/.*\"pid\":\\([0-9]*\\).*/\\1/'); tr '\\0' ' ' < "
              "/proc/$pid/cmdline > seen; sleep 0.3; echo done >> seen");
  bundle.args({"/bin/sleep", "100"});
  Hull hull(bundle);
  REQUIRE(hull.create().exit_code == 0);
  REQUIRE(hull.start().exit_code == 0);
  CHECK(bundle.read("seen") == "/bin/sleep 100 done\n");
}

TEST_CASE("run.oci.hooks.stdout and run.oci.hooks.stderr are files for the output of all hooks",
          "[D51]") {
  Bundle bundle;
  bundle.config["annotations"] = {{"run.oci.hooks.stdout", bundle.dir() + "/hooks.out"},
                                  {"run.oci.hooks.stderr", "hooks.err"}};
  write_file(bundle.dir() + "/hooks.out", "before\n");
  std::string expected = "before\n";
  std::string expected_errors;
  for (const std::string& kind : kAllKinds) {
    bundle.hook(kind, "echo out " + kind + "; echo err " + kind + " >&2");
    expected += "out " + kind + "\n";
    expected_errors += "err " + kind + "\n";
  }
  bundle.args({"/bin/sleep", "100"});
  {
    Hull hull(bundle);
    hull.launch();
    REQUIRE(hull.remove({"--force"}).exit_code == 0);
  }
  CHECK(bundle.read("hooks.out") == expected);
  CHECK(bundle.read("hooks.err") == expected_errors);

  bundle.config["annotations"]["run.oci.hooks.stdout"] = "/no/such/directory/file";
  CHECK(contains(refusal_of(bundle), "/annotations/run.oci.hooks.stdout"));
}

TEST_CASE("a failing poststop hook is a warning, and the others run", "[D49]") {
  Bundle bundle;
  bundle.hook("poststop", "exit 6");
  bundle.hook("poststop", "echo ran > second");
  Hull hull(bundle);
  REQUIRE(hull.create().exit_code == 0);
  const Outcome removed = hull.remove({"--force"});
  INFO(removed.err);
  CHECK(removed.exit_code == 0);
  CHECK(contains(removed.err, "poststop"));
  CHECK(bundle.read("second") == "ran\n");
}

TEST_CASE("poststop hooks run when create fails after its own hooks ran", "[D49]") {
  Bundle bundle;
  bundle.hook("createRuntime", "exit 1");
  bundle.hook("poststop", "echo ran > stopped");
  Hull hull(bundle);
  CHECK(hull.create().exit_code == 1);
  CHECK(bundle.read("stopped") == "ran\n");
}

TEST_CASE("a hook that takes longer than its time limit is killed, and the error says so",
          "[D50]") {
  for (const char* kind : {"createRuntime", "createContainer", "startContainer"}) {
    Bundle bundle;
    bundle.hook(kind, "sleep 50");
    bundle.config["hooks"][kind][0]["timeout"] = 1;
    const auto begin = std::chrono::steady_clock::now();
    const Outcome done = Hull(bundle).run();
    INFO(kind << ": " << done.err);
    CHECK(done.exit_code == 1);
    CHECK(contains(done.err, kind));
    CHECK(std::chrono::steady_clock::now() - begin < std::chrono::seconds(5));
  }
}

TEST_CASE("a hook's path must be absolute, and its time limit positive", "[D50][D3]") {
  Bundle bundle;
  bundle.config["hooks"]["createRuntime"] = {{{"path", "relative"}}};
  CHECK(contains(refusal_of(bundle), "createRuntime"));
  bundle.config["hooks"]["createRuntime"] = {{{"path", "/bin/true"}, {"timeout", 0}}};
  CHECK(contains(refusal_of(bundle), "timeout"));
}

TEST_CASE("a hook that is not there is an error that names it", "[D45]") {
  Bundle bundle;
  bundle.config["hooks"]["createRuntime"] = {{{"path", "/no/such/hook"}}};
  CHECK(contains(refusal_of(bundle), "/no/such/hook"));
}

}  // namespace hull::conformance
