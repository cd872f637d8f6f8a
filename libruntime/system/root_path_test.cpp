#include "libruntime/system/root_path.h"

#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <cerrno>
#include <cstddef>
#include <cstdlib>
#include <string>

#include "libruntime/system/catch.h"
#include "libruntime/system/error.h"
#include "libruntime/system/files.h"

namespace hull {
namespace {

// DIR/root is the tree, DIR/host what lies outside of it.
class Tree {
 public:
  Tree() {
    REQUIRE(mkdtemp(base_) != nullptr);
    for (const char* dir : {"/root", "/root/etc", "/root/a", "/root/a/b", "/host", "/host/sub"})
      REQUIRE(mkdir((base() + dir).c_str(), 0755) == 0);
    replace_file(base() + "/root/etc/name", "inside", 0644);
    replace_file(base() + "/host/name", "outside", 0644);
    link("../../../../../../../../host", "/root/up");
    link(base() + "/host", "/root/out");
    link("/etc", "/root/abs");
    link("loop", "/root/loop");
    link("/run/resolv.conf", "/root/dangling");
    link("/made/later", "/root/dangling_dir");
  }
  ~Tree() {
    const std::string command = "rm -rf " + base();
    if (std::system(command.c_str()) != 0) std::perror("rm");
  }
  Tree(const Tree&) = delete;
  Tree& operator=(const Tree&) = delete;

  [[nodiscard]] std::string base() const { return base_; }
  [[nodiscard]] RootPath root() const { return RootPath::at(base() + "/root"); }
  [[nodiscard]] bool exists(const std::string& path) const {
    struct stat info {};
    return lstat((base() + path).c_str(), &info) == 0;
  }
  void link(const std::string& target, const std::string& path) const {
    REQUIRE(symlink(target.c_str(), (base() + path).c_str()) == 0);
  }

 private:
  char base_[32] = "/tmp/hull-root-path-XXXXXX";
};

// As a seccomp profile that knows no openat2 does.
bool forbid_openat2(unsigned code) {
  const sock_filter program[] = {
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_openat2, 0, 1),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | code),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
  };
  const sock_fprog filter{4, const_cast<sock_filter*>(program)};
  return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
         prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter) == 0;
}

// Runs `body` in a child without openat2; true when it returned true.
template <class Body>
bool without_openat2(unsigned code, Body body) {
  const pid_t pid = fork();
  if (pid == 0) {
    try {
      _exit(forbid_openat2(code) && body() ? 0 : 1);
    } catch (const std::exception& e) {
      std::fprintf(stderr, "%s\n", e.what());
      _exit(2);
    }
  }
  int status = 0;
  return waitpid(pid, &status, 0) == pid && status == 0;
}

std::string content(const RootPath& root, std::string_view path) {
  const Fd fd = root.open(path, O_RDONLY);
  return read_all(fd.get(), std::string(path));
}

int failure(const RootPath& root, std::string_view path, int flags, uint64_t resolve = 0) {
  return root.try_open(path, flags, resolve) ? 0 : errno;
}

// What must hold by either way of resolution; the text of the first thing that does not.
const char* broken_rule(const Tree& tree) {
  const RootPath root = tree.root();
  if (content(root, "/etc/name") != "inside") return "plain path";
  if (content(root, "abs/name") != "inside") return "absolute link";
  if (content(root, "/a/b/../../../../etc/./name") != "inside") return "dots stay inside";
  if (failure(root, "/up/name", O_RDONLY) != ENOENT) return "relative link out";
  if (failure(root, "/out/name", O_RDONLY) != ENOENT) return "absolute link out";
  if (failure(root, "/loop", O_RDONLY) != ELOOP) return "loop";
  if (failure(root, "/abs/name", O_RDONLY, RESOLVE_NO_SYMLINKS) != ELOOP) return "no symlinks";
  if (failure(root, "/abs", O_PATH | O_NOFOLLOW) != 0) return "the link itself";
  if (failure(root, "/etc/name", O_PATH | O_DIRECTORY) != ENOTDIR) return "not a directory";
  if (failure(root, "/etc/name/x", O_PATH) != ENOTDIR) return "below a file";
  if (failure(root, "/etc/name", O_RDONLY, RESOLVE_NO_XDEV) != 0) return "same device";
  if (failure(root, std::string_view("/etc\0x", 6), O_PATH) != EINVAL) return "NUL";
  if (!root.try_open("", O_PATH) || !root.try_open("/", O_PATH)) return "the root itself";
  return nullptr;
}

const char* broken_creation(const Tree& tree) {
  const RootPath root = tree.root();
  struct stat info {};
  const Fd deep = root.mkdir_all("/new/deep/er", 0750);
  if (fstat(deep.get(), &info) != 0 || !S_ISDIR(info.st_mode)) return "mkdir";
  if (!tree.exists("/root/new/deep/er")) return "mkdir place";
  if (!root.mkdir_all("/new/deep/er", 0750)) return "mkdir again";
  if (!root.mkdir_all("/abs/sub", 0755) || !tree.exists("/root/etc/sub")) return "mkdir by link";
  if (!root.mkdir_all("/up/sub2", 0755)) return "mkdir link up";
  if (!root.mkdir_all("/dangling_dir", 0755) || !tree.exists("/root/made/later"))
    return "mkdir through a dangling link";
  if (!root.create_file("/dangling", 0644) || !tree.exists("/root/run/resolv.conf"))
    return "file through a dangling link";
  if (!root.create_file("/x/y/file", 0600) || !tree.exists("/root/x/y/file")) return "file";
  try {
    root.create_file("/etc/name", 0600);
    return "an existing file is an error";
  } catch (const Error& e) {
    if (e.code() != EEXIST) return "EEXIST";
  }
  try {
    root.mkdir_all("/etc/name/sub", 0755);
    return "a file in the way is an error";
  } catch (const Error& e) {
    if (e.code() != ENOTDIR) return "ENOTDIR";
  }
  if (tree.exists("/host/sub2") || tree.exists("/host/run")) return "something outside";
  return nullptr;
}

bool holds(const char* broken) {
  if (broken != nullptr) std::fprintf(stderr, "broken: %s\n", broken);
  return broken == nullptr;
}

}  // namespace

TEST_CASE("a root path never leaves its root", "[root_path]") {
  const Tree tree;
  CHECK(holds(broken_rule(tree)));
}

TEST_CASE("a root path resolves the same way without openat2", "[root_path]") {
  const Tree tree;
  CHECK(without_openat2(ENOSYS, [&] { return holds(broken_rule(tree)); }));
  CHECK(without_openat2(EPERM, [&] { return holds(broken_rule(tree)); }));
}

TEST_CASE("a root path creates below its root only", "[root_path]") {
  const Tree tree;
  CHECK(holds(broken_creation(tree)));
}

TEST_CASE("a root path creates the same things without openat2", "[root_path]") {
  const Tree tree;
  CHECK(without_openat2(ENOSYS, [&] { return holds(broken_creation(tree)); }));
}

TEST_CASE("a root path makes no directory through a link when links are refused", "[root_path]") {
  const Tree tree;
  const RootPath root = tree.root();
  CHECK_THROWS_AS(root.mkdir_all("/abs/sub", 0755, RESOLVE_NO_SYMLINKS), Error);
  CHECK_FALSE(tree.exists("/root/etc/sub"));
}

TEST_CASE("a root path follows no magic link of proc", "[root_path]") {
  const RootPath root = RootPath::at("/");
  CHECK(failure(root, "/proc/self/root/etc", O_PATH) == ELOOP);
  CHECK(failure(root, "/proc/self/status", O_PATH) == 0);
}

TEST_CASE("a root path tells where a descriptor lies", "[root_path]") {
  const Tree tree;
  const RootPath root = tree.root();
  CHECK(root.path_of(root.open("/abs/name", O_PATH).get()) == "/etc/name");
  CHECK(root.path_of(root.fd()) == "/");
  const Fd outside = open_or_throw(AT_FDCWD, tree.base() + "/host", O_PATH);
  CHECK_THROWS_AS(root.path_of(outside.get()), Error);
}

}  // namespace hull
