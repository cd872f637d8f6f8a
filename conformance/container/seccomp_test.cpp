// Seccomp: what the filter answers, seen from inside.
#include <fcntl.h>
#include <linux/seccomp.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>

#include <cerrno>
#include <csignal>

#include "conformance/container/bundle.h"
#include "conformance/container/host.h"
#include "conformance/container/hull.h"
#include "conformance/container/socket.h"
#include "libruntime/system/catch.h"
#include "libruntime/system/files.h"

namespace hull::conformance {
namespace {

Json rule(const std::vector<std::string>& names, const std::string& action) {
  return {{"names", names}, {"action", action}};
}

void allow_all_but(Bundle& bundle, const Json& special) {
  bundle.config["linux"]["seccomp"] = {{"defaultAction", "SCMP_ACT_ALLOW"},
                                       {"syscalls", {special}}};
}

const char* const kMkdir = "mkdir /made 2>&1; test -d /made && echo made; exit 0";

}  // namespace

TEST_CASE("without seccomp there is no filter, with it there is one", "[E29]") {
  Bundle bundle;
  CHECK(output_of(bundle, "grep ^Seccomp: /proc/self/status") == "Seccomp:\t0");
  allow_all_but(bundle, rule({"mkdir", "mkdirat"}, "SCMP_ACT_ERRNO"));
  CHECK(output_of(bundle, "grep ^Seccomp: /proc/self/status") == "Seccomp:\t2");
}

TEST_CASE("SCMP_ACT_ERRNO answers with EPERM, or with the number that is given", "[E30][E31]") {
  Bundle bundle;
  Json special = rule({"mkdir", "mkdirat"}, "SCMP_ACT_ERRNO");
  allow_all_but(bundle, special);
  CHECK(contains(output_of(bundle, kMkdir), "Operation not permitted"));
  special["errnoRet"] = EXDEV;
  allow_all_but(bundle, special);
  CHECK(contains(output_of(bundle, kMkdir), "Invalid cross-device link"));
}

TEST_CASE("the default action has an errno of its own", "[E31]") {
  Bundle bundle;
  bundle.config["linux"]["seccomp"] = {{"defaultAction", "SCMP_ACT_ERRNO"},
                                       {"defaultErrnoRet", EXDEV},
                                       {"syscalls",
                                        {rule({"execve",
                                               "exit",
                                               "exit_group",
                                               "brk",
                                               "mmap",
                                               "munmap",
                                               "mprotect",
                                               "read",
                                               "write",
                                               "writev",
                                               "open",
                                               "openat",
                                               "close",
                                               "stat",
                                               "fstat",
                                               "lstat",
                                               "newfstatat",
                                               "statx",
                                               "arch_prctl",
                                               "set_tid_address",
                                               "set_robust_list",
                                               "rseq",
                                               "prlimit64",
                                               "getrandom",
                                               "uname",
                                               "readlink",
                                               "readlinkat",
                                               "getuid",
                                               "geteuid",
                                               "getgid",
                                               "getegid",
                                               "getpid",
                                               "getppid",
                                               "gettid",
                                               "ioctl",
                                               "fcntl",
                                               "dup",
                                               "dup2",
                                               "dup3",
                                               "rt_sigaction",
                                               "rt_sigprocmask",
                                               "rt_sigreturn",
                                               "futex",
                                               "fork",
                                               "vfork",
                                               "clone",
                                               "clone3",
                                               "wait4",
                                               "getcwd",
                                               "chdir",
                                               "fchdir",
                                               "capget",
                                               "capset",
                                               "prctl",
                                               "setuid",
                                               "setgid",
                                               "setgroups",
                                               "setresuid",
                                               "setresgid",
                                               "umask",
                                               "faccessat2",
                                               "faccessat",
                                               "access",
                                               "close_range",
                                               "execveat",
                                               "fchown",
                                               "poll",
                                               "ppoll",
                                               "lseek",
                                               "pread64",
                                               "setsid",
                                               "kill",
                                               "seccomp",
                                               "sendmsg",
                                               "recvmsg",
                                               "sendto",
                                               "recvfrom",
                                               "getdents64",
                                               "socket",
                                               "connect",
                                               "tgkill",
                                               "statfs",
                                               "fstatfs"},
                                              "SCMP_ACT_ALLOW")}}};
  CHECK(contains(output_of(bundle, kMkdir), "Invalid cross-device link"));
}

TEST_CASE("KILL_PROCESS, KILL and TRAP end the program with SIGSYS", "[E30]") {
  for (const char* action :
       {"SCMP_ACT_KILL_PROCESS", "SCMP_ACT_KILL", "SCMP_ACT_KILL_THREAD", "SCMP_ACT_TRAP"}) {
    Bundle bundle;
    bundle.remove_name_space("pid");
    allow_all_but(bundle, rule({"mkdir", "mkdirat"}, action));
    bundle.args({"/bin/mkdir", "/made"});
    INFO(action);
    CHECK(Hull(bundle).run().exit_code == 128 + SIGSYS);
    CHECK_FALSE(exists(bundle.rootfs("/made")));
  }
}

TEST_CASE("LOG and ALLOW let the call pass; TRACE without a tracer is ENOSYS", "[E30]") {
  Bundle bundle;
  for (const char* action : {"SCMP_ACT_LOG", "SCMP_ACT_ALLOW"}) {
    bundle.config["linux"]["seccomp"] = {{"defaultAction", action}};
    CHECK(output_of(bundle, "echo ok") == "ok");
  }
  allow_all_but(bundle, rule({"mkdir", "mkdirat"}, "SCMP_ACT_TRACE"));
  CHECK(contains(output_of(bundle, kMkdir), "Function not implemented"));
}

TEST_CASE("every operator compares as it says", "[E32]") {
  struct Case {
    const char* op;
    uint64_t value;
    uint64_t value_two;
    std::string blocked;  // of the signals 1 2 3 10 12 sent to itself
  };
  const std::vector<Case> cases = {
      {"SCMP_CMP_EQ", 3, 0, "3"},
      {"SCMP_CMP_NE", 3, 0, "1 2 10 12"},
      {"SCMP_CMP_LT", 3, 0, "1 2"},
      {"SCMP_CMP_LE", 3, 0, "1 2 3"},
      {"SCMP_CMP_GT", 3, 0, "10 12"},
      {"SCMP_CMP_GE", 3, 0, "3 10 12"},
      {"SCMP_CMP_MASKED_EQ", 2, 2, "2 3 10"},
  };
  for (const Case& one : cases) {
    Bundle bundle;
    Json special = rule({"kill"}, "SCMP_ACT_ERRNO");
    special["args"] = {
        {{"index", 1}, {"value", one.value}, {"valueTwo", one.value_two}, {"op", one.op}}};
    allow_all_but(bundle, special);
    INFO(one.op);
    CHECK(output_of(bundle,
                    "trap '' 1 2 3 10 12; for n in 1 2 3 10 12; do kill -$n $$ 2>/dev/null || "
                    "l=\"$l $n\"; done; echo $l") == one.blocked);
  }
}

TEST_CASE("conditions on several arguments must all hold; on one argument each counts for itself",
          "[E32]") {
  Bundle bundle;
  Json special = rule({"kill"}, "SCMP_ACT_ERRNO");
  special["args"] = {{{"index", 0}, {"value", 1}, {"op", "SCMP_CMP_EQ"}},
                     {{"index", 1}, {"value", 3}, {"op", "SCMP_CMP_EQ"}}};
  allow_all_but(bundle, special);
  const std::string script =
      "trap '' 1 2 3 10; for n in 1 2 3 10; do kill -$n 1 2>/dev/null || l=\"$l $n\"; done; echo "
      "$l";
  CHECK(output_of(bundle, script) == "3");
  special["args"] = {{{"index", 1}, {"value", 3}, {"op", "SCMP_CMP_EQ"}},
                     {{"index", 1}, {"value", 10}, {"op", "SCMP_CMP_EQ"}}};
  allow_all_but(bundle, special);
  CHECK(output_of(bundle, script) == "3 10");
}

TEST_CASE("a call that nobody knows is skipped", "[E37]") {
  Bundle bundle;
  allow_all_but(bundle, rule({"no_such_call", "mkdir", "mkdirat"}, "SCMP_ACT_ERRNO"));
  CHECK(contains(output_of(bundle, kMkdir), "Operation not permitted"));
}

TEST_CASE("run.oci.seccomp_bpf_data takes the place of the profile", "[E38]") {
#if !defined(__x86_64__)
  HULL_SKIP("the program knows x86_64's numbers");
#endif
  Bundle bundle;
  allow_all_but(bundle, rule({"mkdir", "mkdirat"}, "SCMP_ACT_ERRNO"));
  // ld nr; jeq mkdir, EXDEV; jeq mkdirat, EXDEV; ret ALLOW; ret ERRNO | EXDEV
  auto& raw = bundle.config["annotations"]["run.oci.seccomp_bpf_data"];
  raw = "IAAAAAAAAAAVAAIAUwAAABUAAQACAQAABgAAAAAA/38GAAAAEgAFAA==";
  CHECK(contains(output_of(bundle, kMkdir), "Invalid cross-device link"));
  bundle.config["linux"].erase("seccomp");
  CHECK(contains(output_of(bundle, kMkdir), "Invalid cross-device link"));
  bundle.config["process"]["noNewPrivileges"] = false;  // loaded by create, not start
  raw = "IAAAAAAAAAA=";  // a program without an end: the kernel refuses it
  CHECK(contains(refusal_of(bundle), "seccomp"));
  raw = "nonsense!";
  CHECK(contains(refusal_of(bundle), "/annotations/run.oci.seccomp_bpf_data"));
}

TEST_CASE("a wrong action, operator or errno is refused", "[E29][E31][D3]") {
  Bundle bundle;
  allow_all_but(bundle, rule({"mkdir"}, "SCMP_ACT_NOSUCH"));
  CHECK(contains(refusal_of(bundle), "SCMP_ACT_NOSUCH"));
  Json special = rule({"mkdir"}, "SCMP_ACT_ERRNO");
  special["args"] = {{{"index", 0}, {"value", 1}, {"op", "SCMP_CMP_NOSUCH"}}};
  allow_all_but(bundle, special);
  CHECK(contains(refusal_of(bundle), "SCMP_CMP_NOSUCH"));
  special = rule({"mkdir"}, "SCMP_ACT_KILL");
  special["errnoRet"] = 5;
  allow_all_but(bundle, special);
  CHECK(contains(refusal_of(bundle), "errnoRet"));
}

TEST_CASE("architectures and flags are accepted", "[E33][E34]") {
  Bundle bundle;
  allow_all_but(bundle, rule({"mkdir", "mkdirat"}, "SCMP_ACT_ERRNO"));
  bundle.config["linux"]["seccomp"]["architectures"] = {"SCMP_ARCH_X86_64", "SCMP_ARCH_X86",
                                                        "SCMP_ARCH_X32"};
  for (const Json& flags :
       {Json::array(), Json{"SECCOMP_FILTER_FLAG_LOG"}, Json{"SECCOMP_FILTER_FLAG_SPEC_ALLOW"},
        Json{"SECCOMP_FILTER_FLAG_TSYNC"}}) {
    bundle.config["linux"]["seccomp"]["flags"] = flags;
    CHECK(contains(output_of(bundle, kMkdir), "Operation not permitted"));
  }
}

TEST_CASE("the filter works with and without noNewPrivileges, also for a plain user", "[E39]") {
  Bundle bundle;
  allow_all_but(bundle, rule({"mkdir", "mkdirat"}, "SCMP_ACT_ERRNO"));
  for (const bool nnp : {false, true}) {
    bundle.config["process"]["noNewPrivileges"] = nnp;
    bundle.config["process"]["user"] = {{"uid", 1000}, {"gid", 1000}};
    CHECK(contains(output_of(bundle, "mkdir /tmp/x 2>&1; grep ^Seccomp: /proc/self/status"),
                   "Seccomp:\t2"));
  }
}

TEST_CASE("NOTIFY hands the filter's descriptor and the state to the listener", "[E35]") {
  Bundle bundle;
  allow_all_but(bundle, rule({"mkdir", "mkdirat"}, "SCMP_ACT_NOTIFY"));
  Listener listener(bundle.dir() + "/notify.sock");
  bundle.config["linux"]["seccomp"]["listenerPath"] = listener.path();
  bundle.config["linux"]["seccomp"]["listenerMetadata"] = "some data";
  bundle.script("mkdir /made 2> /answer");
  Hull hull(bundle);
  const Outcome created = hull.create();
  INFO(created.err);
  REQUIRE(created.exit_code == 0);
  const Received got = listener.receive();
  REQUIRE(got.fd.valid());
  const Json state = Json::parse(got.text);
  CHECK(state.at("metadata") == "some data");
  CHECK(state.at("fds").at(0) == "seccompFd");
  CHECK(state.at("state").at("id") == hull.id());
  CHECK(state.at("pid") == hull.pid());

  REQUIRE(hull.start().exit_code == 0);
  seccomp_notif call{};
  REQUIRE(ioctl(got.fd.get(), SECCOMP_IOCTL_NOTIF_RECV, &call) == 0);
  CHECK((call.data.nr == SYS_mkdir || call.data.nr == SYS_mkdirat));
  seccomp_notif_resp answer{};
  answer.id = call.id;
  answer.error = -EXDEV;
  REQUIRE(ioctl(got.fd.get(), SECCOMP_IOCTL_NOTIF_SEND, &answer) == 0);
  CHECK(hull.reaches("stopped"));
  CHECK(contains(bundle.read("rootfs/answer"), "cross-device"));
}

TEST_CASE("the listener hears of a process that exec starts, too", "[E35][B34]") {
  Bundle bundle;
  allow_all_but(bundle, rule({"mkdir", "mkdirat"}, "SCMP_ACT_NOTIFY"));
  Listener listener(bundle.dir() + "/notify.sock");
  bundle.config["linux"]["seccomp"]["listenerPath"] = listener.path();
  bundle.config["linux"]["seccomp"]["listenerMetadata"] = "some data";
  bundle.config["annotations"]["some"] = "thing";
  bundle.args({"/bin/sleep", "100"});
  Hull hull(bundle);
  hull.launch();
  const Received first = listener.receive();
  CHECK(Json::parse(first.text).at("state").at("status") == "creating");
  const Process exec(hull.argv({"exec", hull.id(), "/bin/sh", "-c", "mkdir /made; sleep 100"}));
  const Received got = listener.receive();
  REQUIRE(got.fd.valid());
  // config-linux.md#containerprocessstate
  const Json state = Json::parse(got.text);
  CHECK(state.at("ociVersion").is_string());
  CHECK(state.at("fds") == Json{"seccompFd"});
  CHECK(state.at("metadata") == "some data");
  const Json& container = state.at("state");
  CHECK(container.at("id") == hull.id());
  CHECK(container.at("status") == "running");
  CHECK(container.at("pid") == hull.pid());
  CHECK(container.at("bundle") == bundle.dir());
  CHECK(container.at("annotations").at("some") == "thing");
  const pid_t pid = state.at("pid").get<pid_t>();
  CHECK(pid != hull.pid());

  seccomp_notif call{};
  REQUIRE(ioctl(got.fd.get(), SECCOMP_IOCTL_NOTIF_RECV, &call) == 0);
  CHECK(contains(read_file("/proc/" + std::to_string(pid) + "/cmdline"), "mkdir /made"));
  CHECK(cgroup_of(pid, "pids") == cgroup_of(hull.pid(), "pids"));
  seccomp_notif_resp answer{};
  answer.id = call.id;
  answer.error = -EXDEV;
  CHECK(ioctl(got.fd.get(), SECCOMP_IOCTL_NOTIF_SEND, &answer) == 0);
  CHECK(hull.remove({"--force"}).exit_code == 0);
}

TEST_CASE("NOTIFY without a listener, or for write, is refused", "[E35]") {
  Bundle bundle;
  allow_all_but(bundle, rule({"mkdir"}, "SCMP_ACT_NOTIFY"));
  CHECK_FALSE(refusal_of(bundle).empty());
  Listener listener(bundle.dir() + "/notify.sock");
  allow_all_but(bundle, rule({"write"}, "SCMP_ACT_NOTIFY"));
  bundle.config["linux"]["seccomp"]["listenerPath"] = listener.path();
  CHECK(contains(refusal_of(bundle), "write"));
}

}  // namespace hull::conformance
