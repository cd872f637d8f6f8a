// exec: another process in a running container.
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>

#include "conformance/container/bundle.h"
#include "conformance/container/host.h"
#include "conformance/container/hull.h"
#include "libruntime/system/catch.h"
#include "libruntime/system/files.h"
#include "libruntime/system/text.h"

namespace hull::conformance {
namespace {

// A container that runs until it is deleted.
struct Running {
  Bundle bundle;
  Hull hull{bundle};
  explicit Running(void (*change)(Bundle&) = nullptr) {
    bundle.args({"/bin/sleep", "1000"});
    if (change != nullptr) change(bundle);
    hull.launch();
  }
};

}  // namespace

TEST_CASE("exec gives the program's exit status, output and input", "[B25][A13]") {
  Running c;
  const Outcome done =
      c.hull.exec({"/bin/sh", "-c", "read line; echo out $line; echo err >&2; exit 9"}, {},
                  {.input = "hello\n"});
  CHECK(done.exit_code == 9);
  CHECK(done.out == "out hello\n");
  CHECK(done.err == "err\n");
  CHECK(c.hull.exec({"/bin/sh", "-c", "kill -TERM $$"}).exit_code == 128 + SIGTERM);
  CHECK(c.hull.exec({"/bin/true"}).exit_code == 0);
}

TEST_CASE("exec of a program that is not there fails with 255 and names it", "[A13][B25]") {
  Running c;
  const Outcome done = c.hull.exec({"no-such-program"});
  CHECK(done.exit_code == 255);
  CHECK(contains(done.err, "no-such-program"));
  CHECK(c.hull.status() == "running");
}

TEST_CASE("exec is in all of the container's namespaces and cgroups", "[B25]") {
  Running c([](Bundle& bundle) { bundle.name_space("cgroup"); });
  const std::string script =
      "for n in mnt uts ipc pid net cgroup; do readlink /proc/self/ns/$n; done; cat "
      "/proc/self/cgroup";
  const std::string init_script =
      "for n in mnt uts ipc pid net cgroup; do readlink /proc/1/ns/$n; done; cat /proc/1/cgroup";
  CHECK(c.hull.inside(script) == c.hull.inside(init_script));
  Process other(c.hull.argv({"exec", c.hull.id(), "/bin/sleep", "1000"}));
  const std::string expected = read_file("/proc/" + std::to_string(c.hull.pid()) + "/cgroup");
  CHECK(eventually([&] {
    return std::ranges::count_if(processes_with("sleep"), [&](pid_t pid) {
             return read_file_if_exists("/proc/" + std::to_string(pid) + "/cgroup") == expected;
           }) == 2;
  }));
}

TEST_CASE("exec takes its defaults from the container's process", "[B34]") {
  Running c([](Bundle& bundle) {
    bundle.env("GREETING=hello");
    bundle.config["process"]["cwd"] = "/tmp";
    bundle.config["process"]["user"] = {{"uid", 1000}, {"gid", 1000}, {"additionalGids", {5, 6}}};
  });
  CHECK(c.hull.inside("echo $GREETING; pwd; id -u; id -g; id -G; grep -E '^(CapBnd|NoNewPrivs):' "
                      "/proc/self/status") ==
        "hello\n/tmp\n1000\n1000\n1000 5 6\nCapBnd:\t0000000020000420\nNoNewPrivs:\t1");
}

TEST_CASE("exec --cwd, --env, --user and --additional-gids", "[B26][B27][B28]") {
  Running c;
  CHECK(c.hull.inside("pwd", {"--cwd", "/tmp"}) == "/tmp");
  CHECK(c.hull.inside("echo $A-$B", {"--env", "A=1", "-e", "B=2"}) == "1-2");
  CHECK(c.hull.inside("id -u; id -g", {"--user", "1000"}) == "1000\n0");
  CHECK(c.hull.inside("id -u; id -g; id -G", {"--user", "1000:1001", "--additional-gids", "7", "-g",
                                              "8"}) == "1000\n1001\n1001 7 8");
}

TEST_CASE("exec --env replaces a variable of the container", "[B26][D27]") {
  Running c([](Bundle& bundle) { bundle.env("A=old"); });
  CHECK(c.hull.inside("echo $A; env | grep -c ^A=", {"--env", "A=new"}) == "new\n1");
}

TEST_CASE("exec --cap adds a capability, --no-new-privs sets the bit", "[B29][B30]") {
  Running c([](Bundle& bundle) { bundle.config["process"]["noNewPrivileges"] = false; });
  const std::string script = "grep -E '^(CapEff|NoNewPrivs)' /proc/self/status";
  CHECK(c.hull.inside(script) == "CapEff:\t0000000020000420\nNoNewPrivs:\t0");
  CHECK(c.hull.inside(script, {"--cap", "CAP_CHOWN", "--no-new-privs"}) ==
        "CapEff:\t0000000020000421\nNoNewPrivs:\t1");
}

TEST_CASE("exec --cgroup enters sub-cgroups, and never leaves the container's cgroup", "[B32]") {
  Running c;
  // v1: a sub-cgroup of one controller; v2: of all.
  const bool v2 = in_cgroup_v2("pids");
  const std::string sub = cgroup_of(c.hull.pid(), "pids") + "/sub";
  make_directories(sub, 0755);
  const std::string beside = cgroup_of(c.hull.pid(), "pids") + "x";
  make_directories(beside, 0755);
  const std::string own = c.hull.inside("cat /proc/1/cgroup");
  const std::string here =
      c.hull.inside("cat /proc/self/cgroup", {"--cgroup", v2 ? "sub" : "pids:sub"});
  INFO(here);
  CHECK(contains(here, "/sub"));
  CHECK(split(here, '\n').size() == split(own, '\n').size());
  CHECK(c.hull.inside("cat /proc/self/cgroup", {"--cgroup", "/"}) == own);
  const std::string name = c.bundle.mark();
  for (const std::string& bad :
       {std::string("../" + name + "x"), std::string(".."), std::string("pids:.."),
        std::string("sub/../../" + name + "x"), std::string("pids:absent"), std::string("absent"),
        std::string("nosuch:sub")}) {
    const Outcome done = c.hull.exec({"true"}, {"--cgroup", bad});
    INFO(bad << ": " << done.err);
    CHECK(done.exit_code == 255);
    CHECK_FALSE(contains(done.err, "other half"));
  }
  CHECK(c.hull.exec({"true"}, {"--cgroup", "pids:sub", "--cgroup", "pids:sub"}).exit_code == 255);
  rmdir(beside.c_str());
}

TEST_CASE("exec --process with fields missing", "[B26]") {
  Running c;
  const std::string file = c.bundle.dir() + "/process.json";
  for (const auto& [process, text] : std::vector<std::pair<std::string, std::string>>{
           {R"({"args":["true"]})", "Cwd property must not be empty"},
           {R"({"args":["true"],"cwd":"x"})", "Cwd must be an absolute path"},
           {R"({"cwd":"/"})", "args must not be empty"},
           {"{", "JSON"}}) {
    write_file(file, process);
    const Outcome done = c.hull.exec({}, {"--process", file});
    INFO(process);
    CHECK(done.exit_code == 255);
    CHECK(contains(done.err, text));
  }
  CHECK(c.hull.exec({}, {"--process", c.bundle.dir() + "/absent"}).exit_code == 255);
}

TEST_CASE("exec --process reads everything from a file", "[B26]") {
  Running c;
  const Json process = {{"args", {"/bin/sh", "-c", "pwd; id -u; echo $X"}},
                        {"cwd", "/tmp"},
                        {"env", {"PATH=/bin", "X=from file"}},
                        {"user", {{"uid", 42}, {"gid", 43}}}};
  write_file(c.bundle.dir() + "/process.json", process.dump());
  const Outcome done = c.hull.exec({}, {"--process", c.bundle.dir() + "/process.json"});
  CHECK(done.exit_code == 0);
  CHECK(done.out == "/tmp\n42\nfrom file\n");
}

TEST_CASE("exec --detach returns at once and writes the pid file", "[B26]") {
  Running c;
  REQUIRE(c.hull.exec({"/bin/sleep", "999"}, {"--detach", "--pid-file", c.bundle.dir() + "/pid"})
              .exit_code == 0);
  const std::string pid = c.bundle.read("pid");
  CHECK(contains(read_file("/proc/" + pid + "/cmdline"), "999"));
  CHECK(c.hull.exec({"absent"}, {"--detach"}).exit_code != 0);
}

TEST_CASE("exec without a command, in a stopped, created or missing container", "[B25]") {
  Bundle bundle;
  Hull hull(bundle);
  CHECK(contains(hull.exec({"true"}).err, "container does not exist"));
  REQUIRE(hull.create().exit_code == 0);
  CHECK(hull.exec({}).exit_code != 0);
  CHECK(hull.exec({"/bin/echo", "in a created one"}).out == "in a created one\n");
  REQUIRE(hull.start().exit_code == 0);
  CHECK(hull.reaches("stopped"));
  const Outcome stopped = hull.exec({"true"});
  CHECK(stopped.exit_code == 255);
  CHECK(contains(stopped.err, "stopped container"));
}

TEST_CASE("exec in a paused container fails, but for --ignore-paused", "[B33]") {
  Running c;
  REQUIRE(c.hull.command({"pause", c.hull.id()}).exit_code == 0);
  const Outcome refused = c.hull.exec({"true"});
  CHECK(refused.exit_code == 255);
  CHECK(contains(refused.err, "paused"));
  Process waiting(c.hull.argv({"exec", "--ignore-paused", c.hull.id(), "/bin/echo", "thawed"}));
  REQUIRE(eventually([&] { return !processes_with("thawed").empty(); }));
  REQUIRE(c.hull.command({"resume", c.hull.id()}).exit_code == 0);
  const Outcome done = waiting.wait();
  CHECK(done.exit_code == 0);
  CHECK(done.out == "thawed\n");
}

TEST_CASE("exec forwards signals to its process", "[B25]") {
  Running c;
  Process run(
      c.hull.argv({"exec", c.hull.id(), "/bin/sh", "-c",
                   "trap 'echo term; exit 3' TERM; echo ready; while :; do sleep 0.01; done"}));
  REQUIRE(eventually([&] { return run.out() == "ready\n"; }));
  run.signal(SIGTERM);
  const Outcome done = run.wait();
  CHECK(done.exit_code == 3);
  CHECK(done.out == "ready\nterm\n");
}

TEST_CASE("exec passes on only the descriptors that are asked for", "[B26][C16]") {
  Running c;
  const Fd file = open_or_throw(AT_FDCWD, "/etc/hostname", O_RDONLY);
  const CommandOptions options{.fds = {{file.get(), 3}, {file.get(), 4}, {file.get(), 7}}};
  CHECK(c.hull.exec({"/bin/sh", "-c", "ls /proc/self/fd | tr '\\n' ' '"}, {}, options).out ==
        "0 1 2 3 ");
  CHECK(c.hull
            .exec({"/bin/sh", "-c",
                   "for i in 0 1 2 3 4 5 6 7 8 9; do [ -e /proc/$$/fd/$i ] && echo -n \"$i \"; "
                   "done; true"},
                  {"--preserve-fds", "2"}, options)
            .out == "0 1 2 3 4 ");
}

TEST_CASE("exec gets the container's seccomp filter and rlimits", "[B34][E29]") {
  Running c([](Bundle& bundle) {
    bundle.config["linux"]["seccomp"] = {
        {"defaultAction", "SCMP_ACT_ALLOW"},
        {"syscalls",
         {{{"names", {"mkdir", "mkdirat"}}, {"action", "SCMP_ACT_ERRNO"}, {"errnoRet", 13}}}}};
    bundle.config["process"]["rlimits"] = {{{"type", "RLIMIT_NOFILE"}, {"soft", 77}, {"hard", 88}}};
  });
  CHECK(
      c.hull.inside("grep ^Seccomp: /proc/self/status; mkdir /tmp/d 2>&1; ulimit -n; ulimit -Hn") ==
      "Seccomp:\t2\nmkdir: can't create directory '/tmp/d': Permission denied\n77\n88");
}

TEST_CASE("exec works whatever the filter and the limits say of another process", "[B25][E29]") {
  const Json refused = {{"names", {"clone", "clone3", "fork", "vfork", "setsid"}},
                        {"action", "SCMP_ACT_ERRNO"}};
  for (const bool no_new_privileges : {false, true}) {
    Bundle bundle;
    bundle.args({"/bin/sleep", "1000"});
    bundle.config["process"]["noNewPrivileges"] = no_new_privileges;
    bundle.config["process"]["user"] = {{"uid", 54'321}, {"gid", 54'321}};
    bundle.config["process"]["rlimits"] = {{{"type", "RLIMIT_NPROC"}, {"soft", 2}, {"hard", 2}}};
    bundle.config["linux"]["seccomp"] = {{"defaultAction", "SCMP_ACT_ALLOW"},
                                         {"syscalls", {refused}}};
    Hull hull(bundle);
    hull.launch();
    const std::string pid_file = bundle.dir() + "/pid";
    const Outcome done =
        hull.exec({"/bin/sh", "-c", "echo $$ $PPID; read l < /proc/self/stat; echo $l"},
                  {"--pid-file", pid_file});
    INFO(done.err);
    CHECK(done.exit_code == 0);
    CHECK(contains(done.out, " 0\n"));  // its parent is not in the container
    CHECK_FALSE(read_file(pid_file).empty());
  }
}

TEST_CASE("an exec that is killed with the container ends", "[B25][B24]") {
  Running c;
  Process run(c.hull.argv({"exec", c.hull.id(), "/bin/sh", "-c", "echo up; exec sleep 1000"}));
  REQUIRE(eventually([&] { return contains(run.out(), "up"); }));
  CHECK(c.hull.remove({"--force"}).exit_code == 0);
  CHECK(run.wait().exit_code == 128 + SIGKILL);
}

}  // namespace hull::conformance
