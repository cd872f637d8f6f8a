#include "libruntime/rootfs/cgroup_mount.h"

#include <algorithm>

#include "libruntime/rootfs/test_scene.h"

namespace hull::rootfs {

using namespace test;

namespace {

constexpr uint64_t kQuiet = MS_NOSUID | MS_NODEV | MS_NOEXEC;
constexpr const char* kPlace = "/sys/fs/cgroup";

// Directories of the host stand for its cgroups: binds don't mind.
void add_controllers(Scene& scene) {
  scene.make_dir("/source/cpu");
  scene.make_dir("/source/systemd");
  scene.make_dir("/source/unified");
  scene.write("/source/cpu/tasks", "");
  scene.plan.cgroup.controllers = {
      {"cpu,cpuacct", scene.base() + "/source/cpu", "cpu,cpuacct", {"cpu", "cpuacct"}},
      {"systemd", scene.base() + "/source/systemd", "none,name=systemd", {}}};
}

std::string mounted(const Scene& scene, const std::string& under, bool old_kernel,
                    const std::string& options) {
  return in_mount_namespace([&] {
    if (old_kernel) forbid({SYS_openat2, SYS_open_tree, SYS_mount_setattr});
    const Fd root = prepare(scene);
    const std::string top = scene.plan.path + kPlace;
    expect_equal(mount_at(top).fs_type, "tmpfs");
    expect_equal(mount_at(top).options, options);
    expect_equal(mount_at(top + under).options, options);
    expect_equal(mount_at(top + "/systemd").options, options);
    expect(exists(top + "/cpu/tasks"), "the link cpu");
    char text[64];
    expect(readlink((top + "/cpuacct").c_str(), text, sizeof text) == 11, "the link cpuacct");
    expect(exists(top + "/unified") == !scene.plan.cgroup.unified_path.empty(), "unified");
  });
}

std::string host_controller() {
  for (const MountInfo& one : read_mountinfo())
    if (one.fs_type == "cgroup" && has_option(one.super_options, "pids")) return one.mount_point;
  return {};
}

std::string host_cgroup2() {
  for (const MountInfo& one : read_mountinfo())
    if (one.fs_type == "cgroup2") return one.mount_point;
  return {};
}

}  // namespace

TEST_CASE("a v1 cgroup mount is a tmpfs with the container's cgroups and links", "[rootfs]") {
  HULL_NEEDS_MOUNTS();
  for (const bool old_kernel : {false, true}) {
    Scene scene;
    add_controllers(scene);
    scene.add("/sys", "sysfs", "sysfs", kQuiet | MS_RDONLY);
    scene.add(kPlace, "cgroup", "cgroup", kQuiet | MS_RELATIME | MS_RDONLY);
    CHECK(mounted(scene, "/cpu,cpuacct", old_kernel, "ro,nosuid,nodev,noexec,relatime") == "");
    scene.plan.mounts.back().flags = kQuiet;
    scene.plan.cgroup.unified_path = scene.base() + "/source/unified";
    CHECK(mounted(scene, "/unified", old_kernel, "rw,nosuid,nodev,noexec,relatime") == "");
  }
}

TEST_CASE("with a cgroup namespace v1 hierarchies are mounted anew", "[rootfs]") {
  HULL_NEEDS_MOUNTS();
  if (host_controller().empty()) HULL_SKIP("the host has no v1 pids hierarchy");
  Scene scene;
  scene.add("/sys", "sysfs", "sysfs");
  scene.add(kPlace, "cgroup", "cgroup", kQuiet | MS_RDONLY);
  scene.plan.cgroup.own_namespace = true;
  scene.plan.cgroup.controllers = {{"pids", "/nowhere", "pids", {}}};
  CHECK(in_namespaces(CLONE_NEWNS | CLONE_NEWCGROUP, [&] {
          const Fd root = prepare(scene);
          const MountInfo pids = mount_at(scene.plan.path + kPlace + "/pids");
          expect_equal(pids.fs_type, "cgroup");
          expect_equal(pids.root, "/");
          expect_equal(pids.options, "ro,nosuid,nodev,noexec,relatime");
        }) == "");
}

TEST_CASE("a v2 cgroup mount is cgroup2 in its namespace, else a bind", "[rootfs]") {
  HULL_NEEDS_MOUNTS();
  if (host_cgroup2().empty()) HULL_SKIP("the host has no cgroup2");
  Scene scene;
  scene.add("/mnt", "cgroup", "cgroup", kQuiet | MS_RDONLY);
  scene.plan.cgroup.v2 = true;
  scene.plan.cgroup.unified_path = host_cgroup2();
  const auto look = [&] {
    const Fd root = prepare(scene);
    const MountInfo mount = mount_at(scene.plan.path + "/mnt");
    expect_equal(mount.fs_type, "cgroup2");
    expect_equal(mount.options, "ro,nosuid,nodev,noexec,relatime");
  };
  CHECK(in_mount_namespace(look) == "");
  scene.plan.cgroup.own_namespace = true;
  CHECK(in_namespaces(CLONE_NEWNS | CLONE_NEWCGROUP, look) == "");
}

TEST_CASE("a v2 host's whole hierarchy is never writable", "[rootfs]") {
  HULL_NEEDS_MOUNTS();
  Scene scene;
  scene.add("/mnt", "cgroup", "cgroup", kQuiet);
  scene.plan.cgroup.v2 = true;
  CHECK(in_mount_namespace([&] {
          const Fd root = prepare(scene);
          for (const MountInfo& one : read_mountinfo())
            if (one.mount_point.starts_with(scene.plan.path + "/mnt"))
              expect(has_option(one.options, "ro"), one.mount_point + " read-only");
        }) == "");
}

TEST_CASE("a cgroup hierarchy's name can't lead elsewhere", "[rootfs]") {
  HULL_NEEDS_MOUNTS();
  for (const char* name : {"..", "a/b", "", "."}) {
    Scene scene;
    scene.add("/mnt", "cgroup", "cgroup");
    scene.plan.cgroup.controllers = {{name, scene.base() + "/source", "", {}}};
    CHECK(in_mount_namespace([&] { prepare(scene); }).find("a cgroup hierarchy has the name") !=
          std::string::npos);
  }
}

}  // namespace hull::rootfs
