// The process of config.json: identity, limits, environment, directory.
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>

#include "conformance/container/bundle.h"
#include "conformance/container/host.h"
#include "conformance/container/hull.h"
#include "libruntime/system/catch.h"
#include "libruntime/system/files.h"

namespace hull::conformance {
namespace {

const char* const kStatus = "grep -E '^(Cap|NoNewPrivs)' /proc/self/status";

}  // namespace

TEST_CASE("the program runs as the user and groups that are asked for", "[D29]") {
  Bundle bundle;
  bundle.config["process"]["user"] = {{"uid", 1000}, {"gid", 1001}, {"additionalGids", {20, 30}}};
  CHECK(output_of(bundle, "id -u; id -g; grep ^Groups /proc/self/status") ==
        "1000\n1001\nGroups:\t20 30 ");
}

TEST_CASE("no group of the runtime's caller reaches the container", "[D29]") {
  Bundle bundle;
  bundle.script("grep ^Groups /proc/self/status");
  bundle.save();
  Hull hull(bundle);
  const Outcome done = run_command({"setpriv", "--groups", "4,24,27", Hull::program(), "--root",
                                    hull.root(), "run", "--bundle", bundle.dir(), hull.id()});
  CHECK(done.out == "Groups:\t \n");
}

TEST_CASE("the umask is the one asked for, 022 by default", "[D30]") {
  Bundle bundle;
  CHECK(output_of(bundle, "umask") == "0022");
  bundle.config["process"]["user"]["umask"] = 077;
  CHECK(output_of(bundle, "umask; touch /x; stat -c %a /x") == "0077\n600");
  bundle.args({"/bin/sleep", "100"});
  Hull hull(bundle);
  hull.launch();
  CHECK(hull.inside("umask") == "0077");
}

TEST_CASE("the working directory is entered, and made when it is missing", "[D26]") {
  Bundle bundle;
  bundle.config["process"]["cwd"] = "/tmp";
  CHECK(output_of(bundle, "pwd") == "/tmp");
  bundle.config["process"]["cwd"] = "/new/deep/dir";
  CHECK(output_of(bundle, "pwd; stat -c '%u %a' .") == "/new/deep/dir\n0 755");
}

TEST_CASE("the working directory must be absolute", "[D26]") {
  for (const char* cwd : {"relative", "", "./x"}) {
    Bundle bundle;
    bundle.config["process"]["cwd"] = cwd;
    CHECK(contains(refusal_of(bundle), "cwd"));
  }
}

TEST_CASE("a user without permission for the working directory gets an error", "[D26]") {
  Bundle bundle;
  make_directories(bundle.rootfs("/closed"), 0700);
  bundle.config["process"]["cwd"] = "/closed";
  bundle.config["process"]["user"] = {{"uid", 1000}, {"gid", 1000}};
  bundle.capabilities({});
  Hull hull(bundle);
  const Outcome done = hull.run();
  INFO(done.err);
  // runc enters it as root before it drops its privileges; either is right, but nobody may hang or
  // crash.
  CHECK((done.exit_code == 0 || (done.exit_code == 1 && contains(done.err, "/closed"))));
}

TEST_CASE("the working directory can't be a way out of the root", "[D26][security]") {
  for (const char* cwd :
       {"/proc/self/fd/7", "/proc/self/fd/8", "/proc/self/fd/5/../../..", "/proc/1/cwd"}) {
    Bundle bundle;
    bundle.config["process"]["cwd"] = cwd;
    bundle.script("pwd -P; cat ../../../../../../../../" + bundle.dir() +
                  "/config.json 2>/dev/null | head -c 1");
    const Outcome done = Hull(bundle).run();
    INFO(cwd << ": " << done.out << done.err);
    CHECK_FALSE(contains(done.out, "{"));
  }
}

TEST_CASE("the environment is exactly the one asked for; HOME comes from the image", "[D27][C11]") {
  Bundle bundle;
  bundle.config["process"]["env"] = {"PATH=/bin", "A=1", "B=x=y", "A=2"};
  bundle.args({"/bin/env"});
  Hull hull(bundle);
  const Outcome done = hull.run({}, {.env = {"SECRET=of the caller"}});
  CHECK_FALSE(contains(done.out, "SECRET"));
  CHECK(contains(done.out, "A=2\n"));  // the last one counts
  CHECK_FALSE(contains(done.out, "A=1\n"));
  CHECK(contains(done.out, "B=x=y\n"));
  CHECK(contains(done.out, "HOME=/root\n"));
  CHECK(contains(done.out, "PATH=/bin\n"));
}

TEST_CASE(
    "HOME is that of the user in the image's passwd, else /, and never replaces one that is given",
    "[C11]") {
  Bundle bundle;
  bundle.config["process"]["user"]["uid"] = 1000;
  CHECK(output_of(bundle, "echo $HOME") == "/home/user");
  bundle.config["process"]["user"]["uid"] = 4242;
  CHECK(output_of(bundle, "echo $HOME") == "/");
  bundle.env("HOME=/given");
  CHECK(output_of(bundle, "echo $HOME") == "/given");
}

TEST_CASE("variables without a name or an equals sign are refused", "[D27]") {
  for (const char* variable : {"NOEQUALS", "=value"}) {
    Bundle bundle;
    bundle.env(variable);
    Hull hull(bundle);
    const Outcome created = hull.create();
    const Outcome failed = created.exit_code != 0 ? created : hull.start();
    INFO(variable);
    CHECK(failed.exit_code != 0);
    CHECK(contains(failed.err, "environment variable"));
  }
}

TEST_CASE("the program is searched for in the container's PATH", "[D28]") {
  Bundle bundle;
  make_directories(bundle.rootfs("/opt/tools"), 0755);
  write_file(bundle.rootfs("/opt/tools/mine"), "#!/bin/sh\necho mine \"$0\" \"$@\"\n", 0755);
  bundle.env("PATH=/bin:/opt/tools");
  bundle.args({"mine", "a b", ""});
  const Outcome done = Hull(bundle).run();
  CHECK(done.out == "mine /opt/tools/mine a b \n");
}

TEST_CASE("args must hold at least one", "[D28]") {
  Bundle bundle;
  bundle.args({});
  CHECK(contains(refusal_of(bundle), "args"));
  bundle.config["process"].erase("args");
  CHECK(contains(refusal_of(bundle), "args"));
}

TEST_CASE("capability sets are as asked", "[D31]") {
  Bundle bundle;
  bundle.config["process"]["capabilities"] = {
      {"bounding", {"CAP_CHOWN", "CAP_KILL", "CAP_NET_RAW"}},
      {"permitted", {"CAP_CHOWN", "CAP_KILL"}},
      {"effective", {"CAP_CHOWN"}},
      {"inheritable", {"CAP_KILL"}},
      {"ambient", {"CAP_KILL"}}};
  // execve as root with NNP: permitted and effective become bounding | inheritable.
  bundle.config["process"]["noNewPrivileges"] = false;
  bundle.config["process"]["user"] = {{"uid", 1000}, {"gid", 1000}};
  CHECK(output_of(bundle, kStatus) ==
        "CapInh:\t0000000000000020\nCapPrm:\t0000000000000020\nCapEff:\t0000000000000020\n"
        "CapBnd:\t0000000000002021\nCapAmb:\t0000000000000020\nNoNewPrivs:\t0");
}

TEST_CASE("without capabilities in the configuration the program has none", "[D31]") {
  Bundle bundle;
  bundle.config["process"]["capabilities"] = Json::object();
  CHECK(output_of(bundle, kStatus) ==
        "CapInh:\t0000000000000000\nCapPrm:\t0000000000000000\nCapEff:\t0000000000000000\n"
        "CapBnd:\t0000000000000000\nCapAmb:\t0000000000000000\nNoNewPrivs:\t1");
}

TEST_CASE("a capability that nobody knows is a warning, no failure", "[D31]") {
  Bundle bundle;
  bundle.capabilities({"CAP_KILL", "CAP_NO_SUCH"});
  bundle.script(kStatus);
  Hull hull(bundle);
  const Outcome done = hull.run();
  CHECK(done.exit_code == 0);
  CHECK(contains(done.out, "CapEff:\t0000000000000020"));
  CHECK(contains(done.err, "CAP_NO_SUCH"));
}

TEST_CASE("a capability that the runtime's caller does not hold is a warning, no failure",
          "[D31]") {
  Bundle bundle;
  bundle.capabilities({"CAP_KILL", "CAP_SYS_TIME"});
  bundle.script(kStatus);
  bundle.save();
  Hull hull(bundle);
  const Outcome done =
      run_command({"setpriv", "--bounding-set", "-sys_time", Hull::program(), "--root", hull.root(),
                   "run", "--bundle", bundle.dir(), hull.id()});
  INFO(done.err);
  CHECK(done.exit_code == 0);
  CHECK(contains(done.out, "CapEff:\t0000000000000020"));
  CHECK(contains(done.err, "CAP_SYS_TIME"));
}

TEST_CASE("noNewPrivileges is set when asked for", "[D34]") {
  Bundle bundle;
  bundle.config["process"]["noNewPrivileges"] = false;
  CHECK(contains(output_of(bundle, kStatus), "NoNewPrivs:\t0"));
  bundle.config["process"]["noNewPrivileges"] = true;
  CHECK(contains(output_of(bundle, kStatus), "NoNewPrivs:\t1"));
}

TEST_CASE("all kinds of rlimits are set, soft and hard", "[D32]") {
  struct Kind {
    const char* type;
    const char* name;  // in /proc/PID/limits
    __rlimit_resource number;
  };
  const std::vector<Kind> kinds = {{"RLIMIT_AS", "Max address space", RLIMIT_AS},
                                   {"RLIMIT_CORE", "Max core file size", RLIMIT_CORE},
                                   {"RLIMIT_CPU", "Max cpu time", RLIMIT_CPU},
                                   {"RLIMIT_DATA", "Max data size", RLIMIT_DATA},
                                   {"RLIMIT_FSIZE", "Max file size", RLIMIT_FSIZE},
                                   {"RLIMIT_LOCKS", "Max file locks", RLIMIT_LOCKS},
                                   {"RLIMIT_MEMLOCK", "Max locked memory", RLIMIT_MEMLOCK},
                                   {"RLIMIT_MSGQUEUE", "Max msgqueue size", RLIMIT_MSGQUEUE},
                                   {"RLIMIT_NICE", "Max nice priority", RLIMIT_NICE},
                                   {"RLIMIT_NOFILE", "Max open files", RLIMIT_NOFILE},
                                   {"RLIMIT_NPROC", "Max processes", RLIMIT_NPROC},
                                   {"RLIMIT_RSS", "Max resident set", RLIMIT_RSS},
                                   {"RLIMIT_RTPRIO", "Max realtime priority", RLIMIT_RTPRIO},
                                   {"RLIMIT_RTTIME", "Max realtime timeout", RLIMIT_RTTIME},
                                   {"RLIMIT_SIGPENDING", "Max pending signals", RLIMIT_SIGPENDING},
                                   {"RLIMIT_STACK", "Max stack size", RLIMIT_STACK}};
  Bundle bundle;
  Json limits = Json::array();
  std::vector<std::string> expected;
  for (const Kind& kind : kinds) {
    // Large enough for the shell, and no more than the machine allows (root may lack
    // CAP_SYS_RESOURCE).
    rlimit own{};
    REQUIRE(getrlimit(kind.number, &own) == 0);
    const rlim_t hard =
        std::min<rlim_t>(own.rlim_max, kind.number == RLIMIT_NOFILE ? 500 : 50'000'000);
    const rlim_t soft = hard == 0 ? 0 : hard - 1;
    limits.push_back({{"type", kind.type}, {"soft", soft}, {"hard", hard}});
    expected.push_back(std::string(kind.name) + " " + std::to_string(soft) + " " +
                       std::to_string(hard) + " ");
  }
  bundle.config["process"]["rlimits"] = limits;
  const std::string text = output_of(bundle, "sed 's/  */ /g' /proc/self/limits");
  for (const std::string& line : expected) {
    INFO(line << "\n" << text);
    CHECK(contains(text, line));
  }
}

TEST_CASE("an rlimit that is unknown or listed twice is refused", "[D32]") {
  Bundle bundle;
  bundle.config["process"]["rlimits"] = {{{"type", "RLIMIT_NOSUCH"}, {"soft", 1}, {"hard", 1}}};
  CHECK(contains(refusal_of(bundle), "RLIMIT_NOSUCH"));
  bundle.config["process"]["rlimits"] = {{{"type", "RLIMIT_CORE"}, {"soft", 1}, {"hard", 1}},
                                         {{"type", "RLIMIT_CORE"}, {"soft", 2}, {"hard", 2}}};
  CHECK(contains(refusal_of(bundle), "/process/rlimits/1"));
}

TEST_CASE("rlimits of the runtime's caller are inherited where none is asked for", "[D33]") {
  Bundle bundle;
  bundle.config["process"].erase("rlimits");
  bundle.script("ulimit -Sn; ulimit -Hn");
  bundle.save();
  Hull hull(bundle);
  const Outcome done = run_command(
      {"/bin/sh", "-c", "ulimit -Sn 200; ulimit -Hn 3000; exec \"$0\" \"$@\"", Hull::program(),
       "--root", hull.root(), "run", "--bundle", bundle.dir(), hull.id()});
  CHECK(done.out == "200\n3000\n");
}

TEST_CASE("oomScoreAdj is set, and left alone when absent", "[D37]") {
  Bundle bundle;
  const std::string own = read_file("/proc/self/oom_score_adj");
  CHECK(output_of(bundle, "cat /proc/self/oom_score_adj") + "\n" == own);
  bundle.config["process"]["oomScoreAdj"] = 321;
  CHECK(output_of(bundle, "cat /proc/self/oom_score_adj") == "321");
  bundle.config["process"]["oomScoreAdj"] = 5000;
  CHECK_FALSE(refusal_of(bundle).empty());
}

TEST_CASE("An oomScoreAdj that the runtime may not set is an error, at once", "[D37]") {
  Bundle bundle;
  bundle.config["process"]["oomScoreAdj"] = -900;
  Hull hull(bundle);
  bundle.save();
  std::vector<std::string> words = {"setpriv", "--bounding-set", "-sys_resource"};
  const auto create = hull.argv({"create", "--bundle", bundle.dir(), hull.id()});
  words.insert(words.end(), create.begin(), create.end());
  CommandOptions options;
  options.timeout = std::chrono::milliseconds(5000);
  const Outcome done = run_command(words, options);
  CHECK(done.exit_code == 1);
  CHECK_THAT(done.err, hull::testing::contains("oomScoreAdj"));
}

TEST_CASE("the caller's signal mask, ignored signals and CPU affinity do not leak in", "[D41]") {
  Bundle bundle;
  bundle.script(
      "grep -E '^(SigBlk|SigIgn)' /proc/self/status; grep Cpus_allowed_list /proc/self/status | "
      "cut -f2");
  const Outcome plain = Hull(bundle).run();
  Hull hull(bundle);
  const Outcome done = run_command(
      {"/bin/sh", "-c", "trap '' HUP USR1 PIPE; exec taskset -c 0 \"$0\" \"$@\"", Hull::program(),
       "--root", hull.root(), "run", "--bundle", bundle.dir(), hull.id()});
  INFO(done.err);
  CHECK(contains(done.out, "SigBlk:\t0000000000000000"));
  CHECK(done.out == plain.out);
}

// GNU make leaves the signals that the C library keeps to itself (32 and 33) ignored.
TEST_CASE("signals that the C library hides may be ignored by the caller", "[D41]") {
  Bundle bundle;
  bundle.script("grep ^SigIgn /proc/self/status");
  const auto dispose = [](void (*handler)(int)) {
    for (const int signal : {32, 33}) {
      const struct {
        void (*handler)(int);
        unsigned long flags, restorer, mask;
      } action{handler, 0, 0, 0};
      REQUIRE(syscall(SYS_rt_sigaction, signal, &action, nullptr, sizeof action.mask) == 0);
    }
  };
  const std::string plain = Hull(bundle).run().out;
  dispose(SIG_IGN);
  const Outcome done = Hull(bundle).run();
  dispose(SIG_DFL);
  CHECK(done.err.empty());
  CHECK(contains(plain, "SigIgn:\t00000000"));
  CHECK(done.out == plain);
}

TEST_CASE("unknown properties are ignored", "[D2]") {
  Bundle bundle;
  bundle.config["x-future"] = {{"a", 1}};
  bundle.config["process"]["x-future"] = true;
  bundle.config["linux"]["x-future"] = {1, 2};
  CHECK(output_of(bundle, "echo ok") == "ok");
}

TEST_CASE("a value of a wrong type, or JSON that is none, is refused with its place", "[D3][D1]") {
  Bundle bundle;
  bundle.config["process"]["cwd"] = 7;
  CHECK(contains(refusal_of(bundle), "cwd"));
  Bundle version;
  version.config["ociVersion"] = "9.0.0";
  CHECK(contains(refusal_of(version), "9.0.0"));
  Bundle broken;
  Hull hull(broken);
  write_file(broken.dir() + "/config.json", "{ \"ociVersion\": ");
  const Outcome created = hull.command({"create", "--bundle", broken.dir(), hull.id()});
  CHECK(created.exit_code == 1);
  CHECK(contains(created.err, "JSON"));
}

}  // namespace hull::conformance
