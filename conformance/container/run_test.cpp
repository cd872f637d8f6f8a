// run: create, start, wait and delete in one.
#include <csignal>

#include "conformance/container/bundle.h"
#include "conformance/container/host.h"
#include "conformance/container/hull.h"
#include "libruntime/system/catch.h"
#include "libruntime/system/files.h"

namespace hull::conformance {

TEST_CASE("run gives the program's exit status, output and input, and deletes the container",
          "[B10][A13][C14]") {
  Bundle bundle;
  bundle.script("read line; echo \"out $line\"; echo err >&2; exit 7");
  Hull hull(bundle);
  const Outcome done = hull.run({}, {.input = "hello\n"});
  CHECK(done.exit_code == 7);
  CHECK(done.out == "out hello\n");
  CHECK(done.err == "err\n");
  CHECK(hull.status().empty());
}

TEST_CASE("run gives 128 and the signal when one ended the program", "[A13]") {
  Bundle bundle;
  bundle.remove_name_space("pid");
  bundle.script("kill -KILL $$");
  CHECK(Hull(bundle).run().exit_code == 128 + SIGKILL);
}

TEST_CASE("run --detach returns at once; the container goes on", "[B11]") {
  Bundle bundle;
  bundle.args({"/bin/sleep", "100"});
  Hull hull(bundle);
  REQUIRE(hull.run({"--detach"}).exit_code == 0);
  CHECK(hull.status() == "running");
}

TEST_CASE("run -d fails when the program can't be executed", "[B11][B17]") {
  Bundle bundle;
  bundle.args({"/bin/absent"});
  const Outcome done = Hull(bundle).run({"-d"});
  CHECK(done.exit_code != 0);
  CHECK(contains(done.err, "/bin/absent"));
}

TEST_CASE("run --keep leaves the stopped container", "[B12]") {
  Bundle bundle;
  Hull hull(bundle);
  CHECK(hull.run({"--keep"}).exit_code == 0);
  CHECK(hull.status() == "stopped");
  CHECK(hull.remove().exit_code == 0);
}

TEST_CASE("run forwards signals to the program", "[B15]") {
  Bundle bundle;
  bundle.script(
      "trap 'echo term; exit 3' TERM; trap 'echo usr2' USR2; echo ready; while :; do sleep 0.01; "
      "done");
  bundle.save();
  Hull hull(bundle);
  Process run(hull.argv({"run", "--bundle", bundle.dir(), hull.id()}));
  REQUIRE(eventually([&] { return run.out() == "ready\n"; }));
  run.signal(SIGUSR2);
  CHECK(eventually([&] { return run.out() == "ready\nusr2\n"; }));
  run.signal(SIGTERM);
  const Outcome done = run.wait();
  CHECK(done.exit_code == 3);
  CHECK(done.out == "ready\nusr2\nterm\n");
}

TEST_CASE("the pid file holds the init's pid on the host", "[B6]") {
  Bundle bundle;
  bundle.args({"/bin/sleep", "100"});
  const std::string file = bundle.dir() + "/pid";
  {
    Hull hull(bundle);
    REQUIRE(hull.run({"-d", "--pid-file", file}).exit_code == 0);
    CHECK(bundle.read("pid") == std::to_string(hull.pid()));
  }
  Hull hull(bundle);
  REQUIRE(hull.create({"--pid-file", file}).exit_code == 0);
  CHECK(bundle.read("pid") == std::to_string(hull.pid()));
}

TEST_CASE("--no-subreaper, --no-pivot and --no-new-keyring are accepted, and the container works",
          "[B7][B8][B13]") {
  Bundle bundle;
  bundle.script("cat /proc/self/mountinfo | head -n 1 > /dev/null; ls / | grep -c rootfs; exit 0");
  for (const char* flag : {"--no-subreaper", "--no-pivot", "--no-new-keyring"}) {
    const Outcome done = Hull(bundle).run({flag});
    INFO(flag << done.err);
    CHECK(done.exit_code == 0);
    CHECK(done.out == "0\n");
  }
}

TEST_CASE("the session keyring is a new one named after the container", "[D52]") {
  Bundle bundle;
  bundle.config["linux"].erase("maskedPaths");
  bundle.script("cat /proc/keys");
  Hull hull(bundle);
  const Outcome done = hull.run();
  CHECK(contains(done.out, "_ses." + hull.id()));
}

TEST_CASE("children that outlive the init do not keep run waiting", "[B15][users-ask-19]") {
  Bundle bundle;
  bundle.script("sleep 100 & exit 4");
  CHECK(Hull(bundle).run().exit_code == 4);
}

TEST_CASE("run --detach closes its own standard streams", "[users-ask-19]") {
  Bundle bundle;
  bundle.script("exec sleep 100 </dev/null >/dev/null 2>&1");
  bundle.save();
  Hull hull(bundle);
  const Outcome piped =
      run_command({"/bin/sh", "-c",
                   Hull::program() + " --root " + hull.root() + " run -d --bundle " + bundle.dir() +
                       " " + hull.id() + " | cat"});
  CHECK(piped.exit_code == 0);
}

}  // namespace hull::conformance
