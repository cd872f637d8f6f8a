// nsinit of 2014: its files, its life cycle, its command line.
#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

#include <csignal>

#include "conformance/container/host.h"
#include "conformance/container/hull.h"
#include "conformance/container/legacy_scene.h"
#include "conformance/container/socket.h"
#include "libruntime/system/catch.h"
#include "libruntime/system/files.h"
#include "libruntime/system/process_stat.h"

namespace hull::conformance {
namespace {

std::string namespace_of(pid_t pid, const std::string& name) {
  char target[64] = {};
  const std::string path = "/proc/" + std::to_string(pid) + "/ns/" + name;
  return readlink(path.c_str(), target, sizeof target - 1) > 0 ? target : "";
}

// A shell that ends by itself when it is told so; SIGTERM would not reach a PID namespace's init.
constexpr char kUntilTerm[] = "trap 'exit 9' TERM; echo ready; while :; do sleep 0.02; done";

}  // namespace

TEST_CASE("nsinit exec makes a container of the current directory", "[S1][S20]") {
  LegacyScene scene;
  scene.config["hostname"] = "koye";
  CHECK(scene.sh("echo $$; hostname; cat /container.json | head -c 1") == "1\nkoye\n{");
}

TEST_CASE("a second nsinit exec joins the container, with all its namespaces", "[S2][S14]") {
  LegacyScene scene;
  const LegacyRun first(scene);
  const pid_t pid = scene.pid();
  for (const char* name : {"mnt", "uts", "ipc", "pid", "net"}) {
    INFO(name);
    CHECK(scene.sh("readlink /proc/self/ns/" + std::string(name)) == namespace_of(pid, name));
    CHECK(namespace_of(pid, name) != namespace_of(getpid(), name));
  }
  CHECK(scene.sh("readlink /proc/self/ns/uts; ps | grep -c '[s]leep 100'") ==
        namespace_of(pid, "uts") + "\n1");
  // It is in the container's cgroup, too.
  CHECK(contains(scene.sh("cat /proc/self/cgroup"), "/" + scene.mark() + "/box"));
}

TEST_CASE("of several that start at once one makes the container, and the others join it", "[S2]") {
  const LegacyScene scene;
  // Each waits until all three are there: the first to end may be the others' init.
  const std::vector<std::string> words = scene.argv(
      {"exec", "/bin/sh", "-c",
       "readlink /proc/self/ns/pid; echo x >> /mnt/n; while [ $(wc -l < /mnt/n) -lt 3 ]; "
       "do sleep 0.02; done"});
  CommandOptions here;
  here.dir = scene.dir();
  Process first(words, here);
  Process second(words, here);
  Process third(words, here);
  const std::string one = first.wait().out;
  CHECK(one.starts_with("pid:["));
  CHECK(second.wait().out == one);
  CHECK(third.wait().out == one);
}

TEST_CASE("a stale pid file makes nobody join a stranger", "[S3]") {
  LegacyScene scene;
  const Process stranger({"sleep", "100"});
  write_file(scene.dir() + "/pid", std::to_string(stranger.pid()));
  SECTION("its start time is another") { write_file(scene.dir() + "/start", "12345"); }
  SECTION("there is no start time") {}
  CHECK(scene.sh("echo $$") == "1");
}

TEST_CASE("a pid file that names a living process of the host is no way to it", "[S3]") {
  LegacyScene scene;
  const Process stranger({"sleep", "100"});
  write_file(scene.dir() + "/pid", std::to_string(stranger.pid()));
  write_file(scene.dir() + "/start", std::to_string(read_process_stat(stranger.pid())->start_time));
  const Outcome done = scene.nsinit({"exec", "/bin/true"});
  CHECK(done.exit_code == 1);
  CHECK(contains(done.err, "which the pid file names, is the init of no container"));
  for (const char* name : {"/pid", "/start"}) unlink((scene.dir() + name).c_str());
}

TEST_CASE("a killed nsinit takes its container along, and the next one starts anew", "[S3][S11]") {
  LegacyScene scene;
  LegacyRun first(scene);
  const pid_t pid = scene.pid();
  first.process().signal(SIGKILL);
  first.wait();
  CHECK(eventually([&] {
    const auto stat = read_process_stat(pid);
    return !stat || stat->dead();
  }));
  CHECK(scene.file("pid") == std::to_string(pid));
  CHECK(scene.sh("echo $$") == "1");
}

TEST_CASE("pid and start name the container's init while it runs, and are gone after", "[S4]") {
  LegacyScene scene;
  {
    LegacyRun first(scene, kUntilTerm);
    const pid_t pid = scene.pid();
    REQUIRE(eventually([&] { return first.process().out() == "ready\n"; }));
    const auto stat = read_process_stat(pid);
    REQUIRE(stat);
    CHECK(stat->parent == first.process().pid());
    CHECK(scene.file("pid") == std::to_string(pid));
    CHECK(scene.file("start") == std::to_string(stat->start_time));
    struct stat info {};
    REQUIRE(::stat((scene.dir() + "/pid").c_str(), &info) == 0);
    CHECK((info.st_mode & 0777) == 0655);
    first.process().signal(SIGTERM);
    CHECK(first.wait().exit_code == 9);
  }
  CHECK_FALSE(exists(scene.dir() + "/pid"));
  CHECK_FALSE(exists(scene.dir() + "/start"));
}

TEST_CASE("-root and data_path name the directory of container.json", "[S5]") {
  LegacyScene scene;
  CommandOptions elsewhere;
  elsewhere.dir = "/";
  scene.config["hostname"] = "there";
  SECTION("which is the root file system") {
    CHECK(scene.nsinit({"-root", scene.dir(), "exec", "/bin/hostname"}, elsewhere).out ==
          "there\n");
    CHECK(scene.nsinit({"exec", "-root", scene.dir(), "/bin/hostname"}, elsewhere).out ==
          "there\n");
    elsewhere.env = {"data_path=" + scene.dir()};
    CHECK(scene.nsinit({"exec", "/bin/hostname"}, elsewhere).out == "there\n");
  }
  SECTION("or lies apart from it, which is the current directory") {
    const std::string apart = scene.bundle().dir() + "/apart";
    make_directories(apart, 0755);
    write_file(apart + "/container.json", scene.config.dump());
    const Outcome done =
        scene.nsinit({"-root", apart, "exec", "/bin/sh", "-c", "hostname; ls / | grep -c busybox"});
    CHECK(done.out == "there\n0\n");
    Process running(scene.argv({"-root", apart, "exec", "/bin/sleep", "100"}),
                    {.dir = scene.dir()});
    REQUIRE(eventually([&] { return exists(apart + "/pid"); }));
    CHECK_FALSE(exists(scene.dir() + "/pid"));
    CHECK(scene.nsinit({"-root", apart, "exec", "/bin/hostname"}).out == "there\n");
    running.signal(SIGKILL);
    running.wait();
    CHECK(scene.nsinit({"-root", apart, "exec", "/bin/hostname"}).out == "there\n");
  }
}

TEST_CASE("-log says where warnings go", "[S6][S43]") {
  LegacyScene scene;
  scene.config["colour"] = "red";
  const std::string warning = "ignoring the unknown key /colour";
  CHECK(contains(scene.nsinit({"exec", "/bin/true"}).err, warning));
  CHECK(contains(scene.nsinit({"-log", "stderr", "exec", "/bin/true"}).err, warning));
  CHECK(scene.nsinit({"-log", "none", "exec", "/bin/true"}).err == "");
  const std::string path = scene.bundle().dir() + "/log";
  CHECK(scene.nsinit({"exec", "-log", path, "/bin/true"}).err == "");
  CHECK(contains(scene.bundle().read("log"), warning));
  // What ends it is told all the same.
  CHECK(contains(scene.nsinit({"-log", "none", "exec", "/bin/nosuch"}).err, "nosuch"));
}

TEST_CASE("what nsinit used between its own processes is refused", "[S7][S8][S12]") {
  const LegacyScene scene;
  const std::vector<std::string> refused[] = {{"-console", "/dev/pts/0", "exec", "/bin/true"},
                                              {"exec", "-pipe", "3", "/bin/true"},
                                              {"init", "/bin/true"},
                                              {"nsenter", "1"}};
  for (const auto& words : refused) {
    INFO(words[0]);
    const Outcome done = scene.nsinit(words);
    CHECK(done.exit_code == 1);
    CHECK(contains(done.err, "is not supported"));
  }
  CHECK(contains(scene.nsinit({"exec"}).err, "exec needs a command"));
  CHECK(contains(scene.nsinit({"dance"}).err, "no such command of nsinit"));
}

TEST_CASE("nsinit spec prints container.json, and stats what the container uses", "[S8][S46]") {
  LegacyScene scene;
  CHECK(Json::parse(scene.nsinit({"spec"}).out) == scene.config);
  CHECK(contains(scene.nsinit({"stats"}).err, "no container runs in"));
  const LegacyRun first(scene);
  REQUIRE(scene.pid() > 0);
  const Json stats = Json::parse(scene.nsinit({"stats"}).out).at("cgroup_stats");
  CHECK(stats.at("memory_stats").at("usage") > 0);
  CHECK(stats.at("cpu_stats").at("cpu_usage").at("total_usage") > 0);
  CHECK(stats.at("cpu_stats").contains("throlling_data"));
}

TEST_CASE("a program of the name nsinit is nsinit", "[S8]") {
  const LegacyScene scene;
  const std::string name = scene.bundle().dir() + "/nsinit";
  REQUIRE(symlink(Hull::program().c_str(), name.c_str()) == 0);
  CHECK(scene.nsinit({"spec"}).exit_code == 0);  // writes container.json
  CommandOptions here;
  here.dir = scene.dir();
  CHECK(Json::parse(run_command({name, "spec"}, here).out) == scene.config);
  CHECK(run_command({name, "exec", "/bin/sh", "-c", "exit 5"}, here).exit_code == 5);
}

TEST_CASE("the exit status is the command's, or 128 and its signal", "[S9]") {
  const LegacyScene scene;
  CHECK(scene.nsinit({"exec", "/bin/sh", "-c", "exit 7"}).exit_code == 7);
  CHECK(scene.nsinit({"exec", "/bin/nosuch"}).exit_code == 1);
  const LegacyRun first(scene);
  REQUIRE(scene.pid() > 0);
  CHECK(scene.nsinit({"exec", "/bin/sh", "-c", "exit 8"}).exit_code == 8);
  CHECK(scene.nsinit({"exec", "/bin/sh", "-c", "kill -KILL $$"}).exit_code == 137);
}

TEST_CASE("signals go on to the container's process", "[S10]") {
  LegacyScene scene;
  SECTION("which may handle them") {
    LegacyRun first(scene, kUntilTerm);
    REQUIRE(eventually([&] { return first.process().out() == "ready\n"; }));
    first.process().signal(SIGTERM);
    CHECK(first.wait().exit_code == 9);
  }
  SECTION("or end of them, where it is no PID namespace's init") {
    const LegacyRun first(scene);
    REQUIRE(scene.pid() > 0);
    Process second(scene.argv({"exec", "/bin/sh", "-c", "echo ready; exec sleep 100"}),
                   {.dir = scene.dir()});
    REQUIRE(eventually([&] { return second.out() == "ready\n"; }));
    second.signal(SIGTERM);
    CHECK(second.wait().exit_code == 143);
  }
}

TEST_CASE("tty gives the command a terminal, which follows the size of ours", "[S21]") {
  LegacyScene scene;
  scene.config["tty"] = true;
  const Pty pty = open_pty();
  Process run(scene.argv({"exec", "/bin/sh", "-c",
                          "trap 'stty size; exit 4' WINCH; tty; stat -c %t -L /dev/console; echo "
                          "ready; while :; do sleep 0.02; done"}),
              {.dir = scene.dir(), .terminal = pty.slave.get()});
  const std::string text = read_until(pty.master, "ready");
  CHECK(contains(text, "/dev/pts/0"));
  CHECK(contains(text, "88"));  // major 136: a pty's slave
  winsize size{};
  size.ws_row = 55;
  size.ws_col = 133;
  REQUIRE(ioctl(pty.master.get(), TIOCSWINSZ, &size) == 0);
  CHECK(contains(read_until(pty.master, "55 133"), "55 133"));
  CHECK(run.wait().exit_code == 4);
}

TEST_CASE("nothing is left of a container on the host", "[S45]") {
  const auto mounts = read_file("/proc/self/mountinfo");
  {
    LegacyScene scene;
    scene.sh("true");
    CHECK(cgroups_with(scene.mark() + "/box").empty());
    CHECK_FALSE(exists(scene.dir() + "/pid"));
  }
  CHECK(read_file("/proc/self/mountinfo") == mounts);
}

}  // namespace hull::conformance
