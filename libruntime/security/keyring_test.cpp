#include "libruntime/security/keyring.h"

#include <linux/filter.h>
#include <linux/keyctl.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstddef>

#include "libruntime/system/catch.h"
#include "libruntime/system/error.h"
#include "libruntime/system/log.h"

namespace hull::security {
namespace {

// A session keyring can't be left: each test has a process of its own.
template <class Body>
int in_child(Body body) {
  const pid_t pid = fork();
  if (pid == 0) {
    int code = 98;
    try {
      code = body();
    } catch (const std::exception& e) {
      std::fprintf(stderr, "child: %s\n", e.what());
    }
    _exit(code);
  }
  int status = 0;
  REQUIRE(waitpid(pid, &status, 0) == pid);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

std::string describe(int32_t key) {
  std::array<char, 512> text{};
  const long length = syscall(SYS_keyctl, KEYCTL_DESCRIBE, key, text.data(), text.size());
  return length > 0 ? std::string(text.data()) : std::string();
}

// keyctl(2) fails with `code` from now on.
bool refuse_keyctl(unsigned code) {
  std::array<sock_filter, 4> program{
      sock_filter BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
      sock_filter BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_keyctl, 0, 1),
      sock_filter BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | code),
      sock_filter BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)};
  const sock_fprog fprog{program.size(), program.data()};
  return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
         prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &fprog) == 0;
}

bool has_keyrings() {
  return syscall(SYS_keyctl, KEYCTL_GET_KEYRING_ID, KEY_SPEC_SESSION_KEYRING, 0) >= 0 ||
         errno != ENOSYS;
}

std::string last_warning;

}  // namespace

TEST_CASE("A new session keyring has the given name and can be searched by its user", "[L73]") {
  if (!has_keyrings()) HULL_SKIP("the kernel has no keyrings");
  CHECK(in_child([] {
          const int32_t keyring = join_session_keyring("_ses.hull-test");
          if (keyring <= 0) return 1;
          if (syscall(SYS_keyctl, KEYCTL_GET_KEYRING_ID, KEY_SPEC_SESSION_KEYRING, 0) != keyring)
            return 2;
          if (!describe(keyring).ends_with(";_ses.hull-test")) return 3;
          allow_keyring_search(keyring, false);
          if (describe(keyring).find(";3f1b0000;") == std::string::npos) return 4;
          allow_keyring_search(keyring, true);
          return describe(keyring).find(";3f1b0008;") != std::string::npos ? 0 : 5;
        }) == 0);
}

TEST_CASE("A long name is no obstacle") {
  if (!has_keyrings()) HULL_SKIP("the kernel has no keyrings");
  CHECK(in_child([] {
          allow_keyring_search(join_session_keyring("_ses." + std::string(1024, 'x')), false);
          return 0;
        }) == 0);
}

TEST_CASE("Without keyrings a warning is all") {
  CHECK(in_child([] {
          log::set_sink([](log::Level level, std::string_view message) {
            if (level == log::Level::warning) last_warning = message;
          });
          if (!refuse_keyctl(ENOSYS)) return 1;
          return join_session_keyring("_ses.hull-test") == 0 && !last_warning.empty() ? 0 : 2;
        }) == 0);
}

TEST_CASE("An exhausted quota of keys is an error that says what to do") {
  CHECK(in_child([] {
          if (!refuse_keyctl(EDQUOT)) return 1;
          try {
            (void)join_session_keyring("_ses.hull-test");  // only the error counts
          } catch (const Error& e) {
            return e.hint().find("--no-new-keyring") != std::string::npos ? 0 : 2;
          }
          return 3;
        }) == 0);
}

}  // namespace hull::security
