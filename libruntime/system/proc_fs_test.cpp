#include "libruntime/system/proc_fs.h"

#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstddef>
#include <cstdlib>

#include "libruntime/system/catch.h"
#include "libruntime/system/error.h"
#include "libruntime/system/files.h"
#include "libruntime/system/syscalls.h"

namespace hull {
namespace {

// Runs `body` in a child with a mount namespace of its own; its result is the child's exit code.
template <class Body>
int in_mount_namespace(Body body) {
  const pid_t pid = fork();
  if (pid == 0) {
    if (unshare(CLONE_NEWNS) != 0 || mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0)
      _exit(99);
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

// The given system calls fail with ENOSYS from now on.
bool forbid(const std::array<unsigned, 3>& numbers) {
  std::array<sock_filter, 6> code{
      sock_filter BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
      sock_filter BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, numbers[0], 3, 0),
      sock_filter BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, numbers[1], 2, 0),
      sock_filter BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, numbers[2], 1, 0),
      sock_filter BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
      sock_filter BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS)};
  const sock_fprog program{code.size(), code.data()};
  return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
         prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0;
}

std::string read_through(const ProcFs& proc, const std::string& path) {
  return read_all(proc.open_file(path, O_RDONLY).get(), path);
}

bool refused(const ProcFs& proc, const std::string& path) {
  try {
    (void)proc.open_file(path, O_RDONLY);  // only whether it throws counts
    return false;
  } catch (const Error&) {
    return true;
  }
}

std::string own_stat_start() { return std::to_string(getpid()) + " ("; }

}  // namespace

TEST_CASE("A procfs finds this process under self and thread-self") {
  for (const bool whole : {false, true}) {
    const ProcFs proc = ProcFs::open(whole);
    CHECK(read_through(proc, "self/stat").starts_with(own_stat_start()));
    CHECK(read_through(proc, "thread-self/stat").starts_with(own_stat_start()));
  }
  CHECK(read_through(ProcFs::host(), "self/stat").starts_with(own_stat_start()));
}

TEST_CASE("A procfs of processes only has no sysctls, a whole one has") {
  const ProcFs whole = ProcFs::open(true);
  CHECK_FALSE(read_through(whole, "sys/kernel/ostype").empty());
  if (geteuid() != 0) HULL_SKIP("needs root to mount a procfs");
  CHECK(refused(ProcFs::open(false), "sys/kernel/ostype"));
}

TEST_CASE("A procfs refuses magic links, absolute paths and paths above its root") {
  for (const ProcFs& proc : {ProcFs::open(false), ProcFs::host()}) {
    CHECK(refused(proc, "self/exe"));
    CHECK(refused(proc, "self/cwd/etc/passwd"));
    CHECK(refused(proc, "self/root/etc/passwd"));
    CHECK(refused(proc, "../etc/passwd"));
    CHECK(refused(proc, "/etc/passwd"));
  }
}

TEST_CASE("A procfs writes to the files of this process") {
  const ProcFs proc = ProcFs::open(false);
  const std::string before = read_through(proc, "self/oom_score_adj");
  proc.write("self/oom_score_adj", "500");
  CHECK(read_file("/proc/self/oom_score_adj") == "500\n");
  proc.write("self/oom_score_adj", before);
  CHECK_THROWS_AS(proc.write("self/oom_score_adj", "not a number"), Error);
}

TEST_CASE("What is mounted over a file of /proc is refused on the host's and absent on our own") {
  if (geteuid() != 0) HULL_SKIP("needs root to mount");
  const int code = in_mount_namespace([] {
    char fake[] = "/tmp/hull-proc-XXXXXX";
    const Fd file(mkstemp(fake));
    // A file of the same procfs: neither the file system's type nor its device gives it away.
    if (mount("/proc/sys/kernel/ostype", "/proc/sys/kernel/hostname", nullptr, MS_BIND, nullptr))
      return 1;
    if (mount(fake, "/proc/sys/kernel/domainname", nullptr, MS_BIND, nullptr)) return 2;
    unlink(fake);
    const ProcFs host = ProcFs::host();
    if (!refused(host, "sys/kernel/hostname") || !refused(host, "sys/kernel/domainname")) return 3;
    const ProcFs own = ProcFs::open(true);
    if (read_through(own, "sys/kernel/hostname") == "Linux\n") return 4;
    if (read_through(own, "sys/kernel/domainname").empty()) return 5;
    return 0;
  });
  CHECK(code == 0);
}

TEST_CASE("A tmpfs in place of /proc is not taken for a procfs") {
  if (geteuid() != 0) HULL_SKIP("needs root to mount");
  const int code = in_mount_namespace([] {
    if (mount("none", "/proc", "tmpfs", 0, nullptr) != 0) return 1;
    try {
      (void)ProcFs::host();  // only whether it throws counts
      return 2;
    } catch (const Error&) {
    }
    return read_through(ProcFs::open(false), "self/stat").empty() ? 3 : 0;
  });
  CHECK(code == 0);
}

TEST_CASE("Without fsopen and openat2 a clone of /proc serves") {
  if (geteuid() != 0) HULL_SKIP("needs root to clone a mount");
  const int code = in_mount_namespace([] {
    if (mount("/proc/sys/kernel/ostype", "/proc/sys/kernel/hostname", nullptr, MS_BIND, nullptr))
      return 1;
    if (!forbid({SYS_fsopen, SYS_openat2, SYS_openat2})) return 2;
    const ProcFs proc = ProcFs::open(false);
    if (read_through(proc, "sys/kernel/hostname") == "Linux\n") return 3;
    if (!read_through(proc, "thread-self/stat").starts_with(own_stat_start())) return 4;
    if (!refused(proc, "self/exe") || !refused(proc, "self/../self/stat")) return 5;
    if (!refused(proc, "/etc/passwd") || !refused(proc, "../etc/passwd")) return 6;
    return refused(proc, "self/cwd/etc/passwd") ? 0 : 7;
  });
  CHECK(code == 0);
}

TEST_CASE(
    "Without fsopen, open_tree and openat2 the host's /proc serves where nothing is mounted") {
  if (geteuid() != 0) HULL_SKIP("needs root to mount");
  const int code = in_mount_namespace([] {
    if (mount("/proc/sys/kernel/ostype", "/proc/sys/kernel/hostname", nullptr, MS_BIND, nullptr))
      return 1;
    if (!forbid({SYS_fsopen, SYS_openat2, SYS_open_tree})) return 2;
    const ProcFs proc = ProcFs::open(false);
    if (!refused(proc, "sys/kernel/hostname")) return 3;
    return read_through(proc, "self/stat").starts_with(own_stat_start()) ? 0 : 4;
  });
  CHECK(code == 0);
}

TEST_CASE("An O_PATH descriptor of a FIFO is reopened for writing") {
  char dir[] = "/tmp/hull-fifo-XXXXXX";
  REQUIRE(mkdtemp(dir) != nullptr);
  const std::string path = std::string(dir) + "/exec.fifo";
  REQUIRE(mkfifo(path.c_str(), 0600) == 0);
  const Fd handle = open_or_throw(AT_FDCWD, path, O_PATH);
  const Fd reader = open_or_throw(AT_FDCWD, path, O_RDONLY | O_NONBLOCK);
  unlink(path.c_str());
  rmdir(dir);
  for (const ProcFs& proc : {ProcFs::open(false), ProcFs::host()}) {
    const Fd writer = proc.reopen(handle.get(), O_WRONLY);
    REQUIRE(write(writer.get(), "0", 1) == 1);
    char byte = 0;
    CHECK(read(reader.get(), &byte, 1) == 1);
    CHECK((fcntl(writer.get(), F_GETFD) & FD_CLOEXEC) != 0);
  }
  CHECK_THROWS_AS(ProcFs::open(false).reopen(1000, O_RDONLY), Error);
}

}  // namespace hull
