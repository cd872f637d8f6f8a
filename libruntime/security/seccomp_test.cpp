#include "libruntime/security/seccomp.h"

#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>

#include "libruntime/configs/names.h"
#include "libruntime/security/seccomp_testing.h"
#include "libruntime/security/syscalls.h"
#include "libruntime/system/catch.h"
#include "libruntime/system/error.h"

namespace hull::security {
namespace {

using configs::SeccompAction;
using configs::SeccompOperator;

// The child's exit code, or 1000 + the signal that ended it. `body` runs with the filter loaded,
// with nothing between: its result must be the verdict.
template <class Body>
int under(const configs::SeccompProgram& program, Body body) {
  const pid_t pid = fork();
  if (pid == 0) {
    try {
      const Fd listener = load(program);
      syscall(SYS_exit_group, body());
    } catch (const std::exception& e) {
      std::fprintf(stderr, "child: %s\n", e.what());
    }
    syscall(SYS_exit_group, 255);
  }
  int status = 0;
  REQUIRE(waitpid(pid, &status, 0) == pid);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 1000 + WTERMSIG(status);
}

// errno of a call, 0 when it succeeded.
template <class... Args>
int errno_of(long number, Args... args) {
  return syscall(number, args...) < 0 ? errno : 0;
}

std::string error_field(const configs::Seccomp& profile) {
  try {
    (void)compile(profile);  // only the error counts
  } catch (const Error& e) {
    return e.field();
  }
  return "no error";
}

}  // namespace

TEST_CASE("A default action of ALLOW with one ERRNO rule refuses that call only") {
  configs::Seccomp profile = profile_with(SeccompAction::allow);
  profile.calls = {rule("getppid", SeccompAction::errno_)};
  CHECK(under(compile(profile), [] { return errno_of(SYS_getppid); }) == EPERM);
  CHECK(under(compile(profile), [] { return errno_of(SYS_getpid); }) == 0);
  profile.calls = {rule("getppid", SeccompAction::errno_, EXDEV)};
  CHECK(under(compile(profile), [] { return errno_of(SYS_getppid); }) == EXDEV);
  profile.calls = {rule("getppid", SeccompAction::errno_, 0)};
  CHECK(under(compile(profile), [] { return static_cast<int>(syscall(SYS_getppid)); }) == 0);
}

TEST_CASE("What a filter lets pass is told without loading it") {
  configs::Seccomp profile;
  profile.default_action = SeccompAction::allow;
  profile.calls = {{"clone",
                    SeccompAction::errno_,
                    EPERM,
                    {{0, CLONE_NEWUSER, CLONE_NEWUSER, SeccompOperator::masked_eq}}},
                   {"setsid", SeccompAction::kill_process, {}, {}},
                   {"getppid", SeccompAction::log, {}, {}}};
  const configs::SeccompProgram program = compile(profile);
  CHECK(allows(program, SYS_clone, {CLONE_PARENT}));
  CHECK_FALSE(allows(program, SYS_clone, {CLONE_NEWUSER | CLONE_PARENT}));
  CHECK_FALSE(allows(program, SYS_setsid, {}));
  CHECK(allows(program, SYS_getppid, {}));
  CHECK(allows(program, SYS_ioctl, {0, 1, 2, 3, 4, 5}));
  CHECK_FALSE(allows({}, SYS_clone, {}));  // a program that does not end
}

TEST_CASE("KILL_PROCESS ends the process, KILL_THREAD the thread") {
  configs::Seccomp profile = profile_with(SeccompAction::allow);
  const auto in_thread = [] {
    pthread_t thread{};
    const auto start = [](void*) -> void* {
      syscall(SYS_getppid);
      _exit(3);
    };
    if (pthread_create(&thread, nullptr, start, nullptr) != 0) return 1;
    return pthread_join(thread, nullptr) == 0 ? 0 : 2;
  };
  profile.calls = {rule("getppid", SeccompAction::kill_thread)};
  CHECK(under(compile(profile), in_thread) == 0);
  CHECK(under(compile(profile), [] { return errno_of(SYS_getppid); }) == 1000 + SIGSYS);
  profile.calls = {rule("getppid", SeccompAction::kill_process)};
  CHECK(under(compile(profile), in_thread) == 1000 + SIGSYS);
}

TEST_CASE("TRAP raises SIGSYS with the call's number") {
  configs::Seccomp profile = profile_with(SeccompAction::allow);
  profile.calls = {rule("getppid", SeccompAction::trap)};
  const int code = under(compile(profile), [] {
    struct sigaction action {};
    action.sa_flags = SA_SIGINFO;
    action.sa_sigaction = [](int, siginfo_t* info, void*) {
      _exit(info->si_syscall == SYS_getppid ? 42 : 1);
    };
    sigaction(SIGSYS, &action, nullptr);
    syscall(SYS_getppid);
    return 2;
  });
  CHECK(code == 42);
}

TEST_CASE("LOG lets the call pass") {
  configs::Seccomp profile = profile_with(SeccompAction::allow);
  profile.calls = {rule("getppid", SeccompAction::log)};
  CHECK(under(compile(profile), [] { return errno_of(SYS_getppid); }) == 0);
}

TEST_CASE("TRACE asks the tracer, and gives ENOSYS without one") {
  configs::Seccomp profile = profile_with(SeccompAction::allow);
  profile.calls = {rule("getppid", SeccompAction::trace, 77)};
  const configs::SeccompProgram program = compile(profile);
  CHECK(under(program, [] { return errno_of(SYS_getppid); }) == ENOSYS);

  const pid_t pid = fork();
  if (pid == 0) {
    ptrace(PTRACE_TRACEME, 0, nullptr, nullptr);
    raise(SIGSTOP);
    (void)load(program);  // no listener
    _exit(errno_of(SYS_getppid));
  }
  int status = 0;
  REQUIRE(waitpid(pid, &status, 0) == pid);
  REQUIRE(WIFSTOPPED(status));
  REQUIRE(ptrace(PTRACE_SETOPTIONS, pid, nullptr, PTRACE_O_TRACESECCOMP | PTRACE_O_EXITKILL) == 0);
  REQUIRE(ptrace(PTRACE_CONT, pid, nullptr, nullptr) == 0);
  REQUIRE(waitpid(pid, &status, 0) == pid);
  REQUIRE(status >> 8 == (SIGTRAP | PTRACE_EVENT_SECCOMP << 8));
  unsigned long message = 0;
  REQUIRE(ptrace(PTRACE_GETEVENTMSG, pid, nullptr, &message) == 0);
  CHECK(message == 77);
  REQUIRE(ptrace(PTRACE_CONT, pid, nullptr, nullptr) == 0);
  REQUIRE(waitpid(pid, &status, 0) == pid);
  CHECK((WIFEXITED(status) && WEXITSTATUS(status) == 0));
}

TEST_CASE("NOTIFY hands the call to the listener") {
  configs::Seccomp profile = profile_with(SeccompAction::allow);
  profile.calls = {rule("getppid", SeccompAction::notify)};
  const configs::SeccompProgram program = compile(profile);
  CHECK(program.notifies);
  const pid_t pid = fork();
  if (pid == 0) {
    const Fd listener = load(program);
    if (!listener || (fcntl(listener.get(), F_GETFD) & FD_CLOEXEC) == 0) _exit(1);
    const pid_t asking = fork();
    if (asking == 0) _exit(syscall(SYS_getppid) == 4242 ? 0 : 1);
    seccomp_notif request{};
    if (ioctl(listener.get(), SECCOMP_IOCTL_NOTIF_RECV, &request) != 0) _exit(2);
    if (request.data.nr != SYS_getppid) _exit(3);
    seccomp_notif_resp response{request.id, 4242, 0, 0};
    if (ioctl(listener.get(), SECCOMP_IOCTL_NOTIF_SEND, &response) != 0) _exit(4);
    int status = 0;
    _exit(waitpid(asking, &status, 0) == asking && status == 0 ? 0 : 5);
  }
  int status = 0;
  REQUIRE(waitpid(pid, &status, 0) == pid);
  CHECK(status == 0);
}

TEST_CASE("NOTIFY is refused where it could never be answered") {
  CHECK(error_field(profile_with(SeccompAction::notify)) == "/linux/seccomp/defaultAction");
  configs::Seccomp profile = profile_with(SeccompAction::allow);
  profile.calls = {rule("write", SeccompAction::notify)};
  CHECK(error_field(profile) == "/linux/seccomp/syscalls");
}

TEST_CASE("Every operator compares 64 bits without sign", "[L75]") {
  constexpr uint64_t kLimit = 0x1'0000'0005;
  struct Case {
    SeccompOperator op;
    uint64_t value_two;
    std::array<bool, 6> matches;  // of the arguments below
  };
  // One beside the limit on both sides, the limit, equal low halves, the largest number.
  constexpr std::array<uint64_t, 6> kArguments{kLimit - 1, kLimit,        kLimit + 1,
                                               5,          0x2'0000'0005, ~uint64_t{0}};
  const std::array cases{
      Case{SeccompOperator::ne, 0, {true, false, true, true, true, true}},
      Case{SeccompOperator::lt, 0, {true, false, false, true, false, false}},
      Case{SeccompOperator::le, 0, {true, true, false, true, false, false}},
      Case{SeccompOperator::eq, 0, {false, true, false, false, false, false}},
      Case{SeccompOperator::ge, 0, {false, true, true, false, true, true}},
      Case{SeccompOperator::gt, 0, {false, false, true, false, true, true}},
      // The mask is the limit: bits 32, 2 and 0.
      Case{SeccompOperator::masked_eq, 5, {false, false, false, true, true, false}},
  };
  for (const Case& one : cases) {
    configs::Seccomp profile = profile_with(SeccompAction::allow);
    // lseek's second argument; descriptor -1 gives EBADF when the call passes.
    profile.calls = {
        rule("lseek", SeccompAction::errno_, 77,
             {{.index = 1, .value = kLimit, .value_two = one.value_two, .op = one.op}})};
    const configs::SeccompProgram program = compile(profile);
    for (size_t i = 0; i < kArguments.size(); ++i) {
      CAPTURE(static_cast<int>(one.op), i);
      CHECK(under(program, [&] { return errno_of(SYS_lseek, -1, kArguments[i], 0); }) ==
            (one.matches[i] ? 77 : EBADF));
    }
  }
}

TEST_CASE("Conditions on different arguments must all hold, on the same argument any") {
  configs::Seccomp profile = profile_with(SeccompAction::allow);
  profile.calls = {rule("lseek", SeccompAction::errno_, 77,
                        {{.index = 1, .value = 1}, {.index = 2, .value = 2}})};
  configs::SeccompProgram program = compile(profile);
  CHECK(under(program, [] { return errno_of(SYS_lseek, -1, 1L, 2); }) == 77);
  CHECK(under(program, [] { return errno_of(SYS_lseek, -1, 1L, 1); }) == EBADF);
  CHECK(under(program, [] { return errno_of(SYS_lseek, -1, 2L, 2); }) == EBADF);
  profile.calls = {rule("lseek", SeccompAction::errno_, 77,
                        {{.index = 1, .value = 1}, {.index = 1, .value = 2}})};
  program = compile(profile);
  CHECK(under(program, [] { return errno_of(SYS_lseek, -1, 1L, 0); }) == 77);
  CHECK(under(program, [] { return errno_of(SYS_lseek, -1, 2L, 0); }) == 77);
  CHECK(under(program, [] { return errno_of(SYS_lseek, -1, 3L, 0); }) == EBADF);
}

TEST_CASE("A rule with the default action and an unknown system call are left out") {
  configs::Seccomp profile = profile_with(SeccompAction::allow);
  const size_t bare = compile(profile).instructions.size();
  profile.calls = {rule("getppid", SeccompAction::allow), rule("nonsense", SeccompAction::errno_)};
  CHECK(compile(profile).instructions.size() == bare);
  profile.calls = {rule("nonsense", SeccompAction::notify)};
  CHECK_FALSE(compile(profile).notifies);
}

TEST_CASE("An errno is refused where the action returns none, or too large") {
  configs::Seccomp profile = profile_with(SeccompAction::allow);
  profile.calls = {rule("getppid", SeccompAction::kill_process, 1)};
  CHECK(error_field(profile) == "/linux/seccomp/syscalls");
  profile.calls = {rule("getppid", SeccompAction::errno_, 65536)};
  CHECK(error_field(profile) == "/linux/seccomp/syscalls");
  profile.calls = {rule("getppid", SeccompAction::errno_, 1,
                        {{.index = 6, .value = 0, .op = SeccompOperator::eq}})};
  CHECK(error_field(profile) == "/linux/seccomp/syscalls");
  profile = profile_with(SeccompAction::allow);
  profile.default_errno_ret = 1;
  CHECK(error_field(profile) == "/linux/seccomp/defaultErrnoRet");
}

TEST_CASE("Flags reach the kernel as the specification names them") {
  configs::Seccomp profile = profile_with(SeccompAction::allow);
  profile.calls = {rule("getppid", SeccompAction::errno_)};
  CHECK(compile(profile).flags == SECCOMP_FILTER_FLAG_SPEC_ALLOW);
  profile.flags_given = true;
  CHECK(compile(profile).flags == 0);
  profile.flags = {"SECCOMP_FILTER_FLAG_TSYNC", "SECCOMP_FILTER_FLAG_LOG",
                   "SECCOMP_FILTER_FLAG_SPEC_ALLOW"};
  CHECK(compile(profile).flags == (SECCOMP_FILTER_FLAG_LOG | SECCOMP_FILTER_FLAG_SPEC_ALLOW));
  CHECK(under(compile(profile), [] { return errno_of(SYS_getppid); }) == EPERM);
  profile.flags = {"SECCOMP_FILTER_FLAG_LOG", "NONSENSE"};
  CHECK(error_field(profile) == "/linux/seccomp/flags/1");
}

TEST_CASE("WAIT_KILLABLE_RECV is for filters that notify") {
  if (!seccomp_flag_supported(SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV))
    HULL_SKIP("the kernel lacks WAIT_KILLABLE_RECV");
  configs::Seccomp profile = profile_with(SeccompAction::allow);
  profile.flags_given = true;
  profile.flags = {"SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV"};
  profile.calls = {rule("getppid", SeccompAction::errno_)};
  CHECK(compile(profile).flags == 0);
  profile.calls.push_back(rule("getpgrp", SeccompAction::notify));
  CHECK(compile(profile).flags == SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV);
  CHECK(under(compile(profile), [] { return errno_of(SYS_getppid); }) == EPERM);
}

TEST_CASE("A flag that no kernel has is not supported") {
  CHECK(seccomp_flag_supported(SECCOMP_FILTER_FLAG_LOG));
  CHECK_FALSE(seccomp_flag_supported(1U << 30));
}

TEST_CASE("Every architecture of the specification is understood or refused by name", "[L75]") {
  configs::Seccomp profile = profile_with(SeccompAction::errno_);
  profile.calls = {rule("read", SeccompAction::allow)};
  for (const configs::SeccompArchName& arch : configs::kSeccompArchs) {
    CAPTURE(std::string(arch.spec));
    profile.architectures = {"amd64", std::string(arch.state)};
    if (find_syscall_arch(arch.spec) != nullptr)
      CHECK_NOTHROW(compile(profile));
    else
      CHECK_THROWS_WITH(compile(profile), testing::contains(std::string(arch.spec)));
  }
  profile.architectures = {"amd64", "pdp11"};
  CHECK(error_field(profile) == "/linux/seccomp/architectures/1");
}

TEST_CASE("Two rules that contradict each other are an error") {
  configs::Seccomp profile = profile_with(SeccompAction::allow);
  profile.calls = {rule("umask", SeccompAction::errno_, 7, {{.index = 0, .value = 1}}),
                   rule("umask", SeccompAction::errno_, 8, {{.index = 0, .value = 1}})};
  CHECK(error_field(profile) == "/linux/seccomp/syscalls");
}

TEST_CASE("A profile beyond the kernel's limit of instructions is an error") {
  configs::Seccomp profile = profile_with(SeccompAction::allow);
  for (uint64_t i = 0; i < 1500; ++i)
    profile.calls.push_back(
        rule("lseek", SeccompAction::errno_, 77,
             {{.index = 1, .value = i << 32 | i}, {.index = 2, .value = i << 32 | i}}));
  CHECK(error_field(profile) == "/linux/seccomp/syscalls");
}

TEST_CASE("A filter of a process without privileges needs no_new_privs") {
  if (geteuid() != 0) HULL_SKIP("needs root to become another user");
  configs::Seccomp profile = profile_with(SeccompAction::allow);
  profile.calls = {rule("getppid", SeccompAction::errno_)};
  const configs::SeccompProgram program = compile(profile);
  const pid_t pid = fork();
  if (pid == 0) {
    if (setresuid(1000, 1000, 1000) != 0) _exit(1);
    try {
      (void)load(program);  // only the error counts
      _exit(2);
    } catch (const Error& e) {
      if (e.code() != EACCES || e.hint().empty()) _exit(3);
    }
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) _exit(4);
    (void)load(program);  // no listener
    _exit(errno_of(SYS_getppid));
  }
  int status = 0;
  REQUIRE(waitpid(pid, &status, 0) == pid);
  CHECK((WIFEXITED(status) && WEXITSTATUS(status) == EPERM));
}

#if defined(__x86_64__)

namespace {

// i386's way into the kernel from a 64-bit program; the result is -errno.
int int80(int number) {
  int result = number;
  asm volatile("int $0x80" : "+a"(result) : : "memory", "r8", "r9", "r10", "r11");
  return result;
}
constexpr int kGetppid32 = 64, kGetpid32 = 20;

}  // namespace

TEST_CASE("A profile like Docker's judges real system calls") {
  const configs::SeccompProgram program = compile(docker_like());
  CHECK(under(program, [] { return errno_of(SYS_getpid); }) == 0);
  CHECK(under(program, [] { return errno_of(SYS_getppid); }) == EPERM);
  CHECK(under(program, [] { return errno_of(SYS_ptrace, -1); }) == EPERM);
  CHECK(under(program, [] { return errno_of(2000); }) == ENOSYS);  // newer than the profile
  CHECK(under(program, [] { return errno_of(SYS_personality, 0xffffffffL); }) == 0);
  CHECK(under(program, [] { return errno_of(SYS_personality, 1L); }) == EPERM);
  CHECK(under(program, [] { return errno_of(SYS_clone3, nullptr, 0); }) == ENOSYS);
  // CLONE_NEWUTS is of the mask; CLONE_FS without CLONE_SIGHAND goes on to fail in the kernel.
  CHECK(under(program, [] { return errno_of(SYS_clone, 0x04000000L, 0, 0, 0, 0); }) == EPERM);
  CHECK(under(program, [] { return errno_of(SYS_clone, 0x00010000L, 0, 0, 0, 0); }) == EINVAL);
}

TEST_CASE("A filter judges the calls of every architecture that it covers and kills others") {
  if (const pid_t pid = fork(); pid == 0) {
    signal(SIGSEGV, SIG_DFL);
    _exit(int80(kGetpid32) == getpid() ? 0 : 1);
  } else {
    int status = 0;
    REQUIRE(waitpid(pid, &status, 0) == pid);
    if (status != 0) HULL_SKIP("the kernel has no 32-bit system calls");
  }
  configs::Seccomp profile = profile_with(SeccompAction::allow);
  profile.calls = {rule("getppid", SeccompAction::errno_, 77)};
  CHECK(under(compile(profile), [] { return int80(kGetpid32) > 0 ? 0 : 1; }) == 1000 + SIGSYS);
  profile.architectures = {"x86"};
  CHECK(under(compile(profile), [] { return int80(kGetpid32) > 0 ? 0 : 1; }) == 0);
  CHECK(under(compile(profile), [] { return -int80(kGetppid32); }) == 77);
  CHECK(under(compile(profile), [] { return errno_of(SYS_getppid); }) == 77);
}

TEST_CASE("A filter's verdict on other architectures is theirs, by their own numbers") {
  configs::Seccomp profile = profile_with(SeccompAction::allow);
  profile.calls = {rule("getppid", SeccompAction::errno_, 77)};
  CHECK(verdict(compile(profile), AUDIT_ARCH_I386, kGetpid32) == SECCOMP_RET_KILL_THREAD);
  profile.architectures = {"x86", "arm64"};
  const configs::SeccompProgram program = compile(profile);
  CHECK(verdict(program, AUDIT_ARCH_I386, kGetpid32) == SECCOMP_RET_ALLOW);
  CHECK(verdict(program, AUDIT_ARCH_I386, kGetppid32) == (SECCOMP_RET_ERRNO | 77));
  CHECK(verdict(program, AUDIT_ARCH_AARCH64, 173) == (SECCOMP_RET_ERRNO | 77));
  CHECK(verdict(program, AUDIT_ARCH_X86_64, SYS_getppid) == (SECCOMP_RET_ERRNO | 77));
}

TEST_CASE("The simulator agrees with the kernel's verdicts") {
  const configs::SeccompProgram program = compile(docker_like());
  CHECK(verdict(program, AUDIT_ARCH_X86_64, SYS_clone, {0x04000000}) ==
        (SECCOMP_RET_ERRNO | EPERM));
  CHECK(verdict(program, AUDIT_ARCH_X86_64, SYS_clone, {0x00010000}) == SECCOMP_RET_ALLOW);
  CHECK(verdict(program, AUDIT_ARCH_X86_64, SYS_personality, {8}) == SECCOMP_RET_ALLOW);
  CHECK(verdict(program, AUDIT_ARCH_X86_64, SYS_personality, {9}) == (SECCOMP_RET_ERRNO | EPERM));
}

#endif

}  // namespace hull::security
