#include "libruntime/rootfs/old_root.h"

#include <algorithm>

#include "libruntime/rootfs/test_scene.h"

namespace hull::rootfs {

using namespace test;

namespace {

void expect_jail(const Scene& scene) {
  char cwd[64];
  expect(getcwd(cwd, sizeof cwd) != nullptr && std::string(cwd) == "/", "the root as cwd");
  expect(exists("/etc/mark"), "the container's tree");
  expect(!exists(scene.base()), "not the host's tree");
  expect(chdir("..") == 0 && exists("etc/mark"), "no way up");
}

// With its own /proc, so that mountinfo can be read inside.
void add_proc(Scene& scene) {
  scene.write("/root/etc/mark", "");
  scene.add("/proc", "proc", "proc");
}

}  // namespace

TEST_CASE("after pivot_root nothing of the host is reachable", "[rootfs]") {
  HULL_NEEDS_MOUNTS();
  Scene scene;
  add_proc(scene);
  CHECK(in_mount_namespace([&] {
          const Fd root = prepare(scene);
          enter(scene.plan, root.get());
          expect_jail(scene);
          const auto mounts = read_mountinfo();
          expect(mounts.size() == 2, "two mounts");
          expect_equal(mounts[0].mount_point, "/");
          expect(mounts[0].propagation.find("shared") == std::string::npos, "not shared");
        }) == "");
}

TEST_CASE("without pivot_root the root is moved and the host's proc and sys are gone", "[rootfs]") {
  HULL_NEEDS_MOUNTS();
  Scene scene;
  add_proc(scene);
  scene.plan.no_pivot = true;
  CHECK(in_mount_namespace([&] {
          const Fd host = open_or_throw(AT_FDCWD, "/", O_PATH | O_DIRECTORY);
          const Fd root = prepare(scene);
          enter(scene.plan, root.get());
          expect_jail(scene);
          // Even with a descriptor of the old root.
          expect(faccessat(host.get(), "proc/self", F_OK, 0) != 0, "no /proc of the host");
          expect(faccessat(host.get(), "sys/kernel", F_OK, 0) != 0, "no /sys of the host");
        }) == "");
}

TEST_CASE("without a mount namespace it is only a chroot", "[rootfs]") {
  HULL_NEEDS_MOUNTS();
  Scene scene;
  scene.write("/root/etc/mark", "");
  const auto points = [] {
    std::string out;
    for (const MountInfo& one : read_mountinfo())
      out += one.mount_point + ' ' + one.options + ' ' + one.propagation + '\n';
    return out;
  };
  const std::string before = points();
  CHECK(in_namespaces(0, [&] {
          const Fd root = open_or_throw(AT_FDCWD, scene.plan.path, O_PATH | O_DIRECTORY);
          enter(scene.plan, root.get());
          expect_jail(scene);
        }) == "");
  CHECK(points() == before);
}

TEST_CASE("the root gets the propagation that is asked for", "[rootfs]") {
  HULL_NEEDS_MOUNTS();
  struct Row {
    uint64_t propagation;
    const char* text;
  };
  const Row rows[] = {{0, ""},
                      {MS_SLAVE | MS_REC, ""},
                      {MS_PRIVATE | MS_REC, ""},
                      {MS_PRIVATE, ""},
                      {MS_SHARED, "shared"},
                      {MS_SHARED | MS_REC, "shared"},
                      {MS_UNBINDABLE, "unbindable"},
                      {MS_UNBINDABLE | MS_REC, "unbindable"}};
  for (const Row& row : rows) {
    Scene scene;
    add_proc(scene);
    scene.plan.propagation = row.propagation;
    CHECK(in_mount_namespace([&] {
            expect(::mount(nullptr, "/", nullptr, MS_PRIVATE | MS_REC, nullptr) == 0, "private");
            const Fd root = prepare(scene);
            enter(scene.plan, root.get());
            set_root_propagation(scene.plan);
            expect_jail(scene);
            const std::string is = mount_at("/").propagation;
            expect_equal(is.substr(0, is.find(':')), row.text);
          }) == "");
  }
}

TEST_CASE("mounts of a container with a shared root don't reach the namespace it came from",
          "[rootfs]") {
  HULL_NEEDS_MOUNTS();
  Scene scene;
  add_proc(scene);
  scene.plan.propagation = MS_SHARED | MS_REC;
  CHECK(in_mount_namespace([&] {
          // This namespace is the host, all shared.
          expect(::mount(nullptr, "/", nullptr, MS_PRIVATE | MS_REC, nullptr) == 0, "private");
          expect(::mount(nullptr, "/", nullptr, MS_SHARED | MS_REC, nullptr) == 0, "shared");
          const size_t before = read_mountinfo().size();
          const std::string error = [&] {
            const pid_t pid = fork();
            if (pid == 0) {
              int result = 1;
              try {
                expect(unshare(CLONE_NEWNS) == 0, "unshare");
                const Fd root = prepare(scene);
                enter(scene.plan, root.get());
                result = 0;
              } catch (const std::exception& e) {
                std::fprintf(stderr, "%s\n", e.what());
              }
              _exit(result);
            }
            int status = 0;
            waitpid(pid, &status, 0);
            return status == 0 ? std::string() : std::string("failed");
          }();
          expect_equal(error, "");
          expect(read_mountinfo().size() == before, "the same mounts on the host");
          expect(exists("/proc/self/mountinfo"), "the host's proc");
        }) == "");
}

TEST_CASE("a missing root file system is said to be missing", "[rootfs]") {
  HULL_NEEDS_MOUNTS();
  Scene scene;
  scene.plan.path += "/nowhere";
  const std::string error = in_mount_namespace([&] { prepare(scene); });
  CHECK(error.find("no such file or directory") != std::string::npos);
  CHECK(error.find("(/root/path)") != std::string::npos);
}

}  // namespace hull::rootfs
