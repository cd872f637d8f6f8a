#pragma once

#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <initializer_list>
#include <string>

#include "libruntime/plan/plan.h"
#include "libruntime/rootfs/rootfs.h"
#include "libruntime/system/catch.h"
#include "libruntime/system/error.h"
#include "libruntime/system/files.h"
#include "libruntime/system/mountinfo.h"
#include "libruntime/system/syscalls.h"

// For the tests of this room only: a root file system in a temporary directory, and children with
// namespaces of their own in which it may be mounted.
namespace hull::rootfs::test {

inline bool may_mount() {
  if (geteuid() != 0) return false;
  const pid_t pid = fork();
  if (pid == 0) _exit(unshare(CLONE_NEWNS) == 0 ? 0 : 1);
  int status = 0;
  return waitpid(pid, &status, 0) == pid && status == 0;
}

#define HULL_NEEDS_MOUNTS() \
  if (!hull::rootfs::test::may_mount()) HULL_SKIP("mounting is not permitted")

class Scene {
 public:
  Scene() {
    REQUIRE(mkdtemp(base_) != nullptr);
    for (const char* dir : {"/root", "/root/proc", "/root/dev", "/root/sys", "/root/etc",
                            "/root/mnt", "/decoy", "/source"})
      make_dir(dir);
    write("/source/file", "from the host");
    plan.path = base() + "/root";
  }
  ~Scene() {
    const std::string command = "rm -rf " + base();
    if (std::system(command.c_str()) != 0) std::perror("rm");
  }
  Scene(const Scene&) = delete;
  Scene& operator=(const Scene&) = delete;

  [[nodiscard]] std::string base() const { return base_; }
  void make_dir(const std::string& path, mode_t mode = 0755) const {
    REQUIRE(mkdir((base() + path).c_str(), mode) == 0);
    REQUIRE(chmod((base() + path).c_str(), mode) == 0);
  }
  void write(const std::string& path, const std::string& text) const {
    replace_file(base() + path, text, 0644);
  }
  void link(const std::string& target, const std::string& path) const {
    REQUIRE(symlink(target.c_str(), (base() + path).c_str()) == 0);
  }
  void remove_dir(const std::string& path) const { REQUIRE(rmdir((base() + path).c_str()) == 0); }
  // Nothing was made or changed outside of the root file system.
  [[nodiscard]] bool decoy_is_empty() const { return rmdir((base() + "/decoy").c_str()) == 0; }

  configs::Mount& add(const std::string& destination, const std::string& type,
                      const std::string& source, uint64_t flags = 0, const std::string& data = "") {
    configs::Mount mount;
    mount.destination = destination;
    mount.type = type;
    mount.source = source;
    mount.flags = flags;
    mount.data = data;
    plan.mounts.push_back(mount);
    return plan.mounts.back();
  }
  configs::Mount& add_bind(const std::string& destination, const std::string& source,
                           uint64_t flags = MS_BIND) {
    return add(destination, "bind", base() + source, flags | MS_BIND);
  }
  void add_default_devices() {
    for (const auto& [path, minor] : {std::pair{"/dev/null", 3}, std::pair{"/dev/zero", 5}})
      plan.devices.push_back({path, 'c', 1, minor, 0666, 0, 0});
  }

  plan::Rootfs plan;

 private:
  char base_[32] = "/tmp/hull-rootfs-XXXXXX";
};

// Sources that only a launcher could make are made here: a test has its rights.
inline Fd prepare(const Scene& scene) {
  return rootfs::prepare(
      scene.plan, [&](size_t index) { return clone_source(scene.plan, scene.plan.mounts[index]); });
}

// Runs `body` in a child with new namespaces; the empty text when it returned, else what it threw.
template <class Body>
std::string in_namespaces(uint64_t flags, Body body) {
  int ends[2];
  REQUIRE(pipe2(ends, O_CLOEXEC) == 0);
  const pid_t pid = fork();
  if (pid == 0) {
    std::string text;
    try {
      if (unshare(static_cast<int>(flags)) != 0) throw Error("unshare", "unshare", errno);
      body();
    } catch (const std::exception& e) {
      text = *e.what() == '\0' ? "an error without text" : e.what();
    }
    write_all(ends[1], text, "pipe");
    _exit(0);
  }
  close(ends[1]);
  const Fd from(ends[0]);
  std::string text = read_all(from.get(), "pipe");
  int status = 0;
  if (waitpid(pid, &status, 0) != pid || status != 0) text += " (the child died)";
  return text;
}

template <class Body>
std::string in_mount_namespace(Body body) {
  return in_namespaces(CLONE_NEWNS, body);
}

// In the child: a CHECK that travels as an exception.
inline void expect(bool holds, const std::string& what) {
  if (!holds) throw Error("expected: " + what);
}
inline void expect_equal(const std::string& is, const std::string& wanted) {
  expect(is == wanted, quote(wanted) + " but it is " + quote(is));
}

// The last mount on `path`.
inline MountInfo mount_at(const std::string& path) {
  MountInfo found;
  for (const MountInfo& one : read_mountinfo())
    if (one.mount_point == path) found = one;
  expect(!found.mount_point.empty(), "a mount at " + path);
  return found;
}

inline bool exists(const std::string& path) {
  struct stat info {};
  return lstat(path.c_str(), &info) == 0;
}

inline struct stat stat_of(const std::string& path) {
  struct stat info {};
  if (lstat(path.c_str(), &info) != 0) throw Error("cannot stat " + path, "lstat", errno);
  return info;
}

// As on a kernel that lacks these system calls.
inline void forbid(std::initializer_list<unsigned> calls, unsigned code = ENOSYS) {
  for (const unsigned call : calls) {
    const sock_filter program[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, call, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | code),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    const sock_fprog filter{4, const_cast<sock_filter*>(program)};
    if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter) != 0)
      throw Error("cannot install a seccomp filter", "prctl", errno);
  }
}

}  // namespace hull::rootfs::test
