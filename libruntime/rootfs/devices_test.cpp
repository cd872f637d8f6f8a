#include "libruntime/rootfs/devices.h"

#include <sys/ioctl.h>
#include <sys/sysmacros.h>

#include "libruntime/rootfs/test_scene.h"

namespace hull::rootfs {

using namespace test;

namespace {

std::string link_text(const std::string& path) {
  char text[64];
  const ssize_t length = readlink(path.c_str(), text, sizeof text);
  return length < 0 ? "no link" : std::string(text, static_cast<size_t>(length));
}

std::string devices_of(const Scene& scene) {
  return in_mount_namespace([&] { prepare(scene); });
}

bool contains(const std::string& text, const char* part) {
  return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("devices have type, numbers, mode and owner of the config", "[rootfs]") {
  HULL_NEEDS_MOUNTS();
  Scene scene;
  scene.plan.devices = {{"/dev/null", 'c', 1, 3, 0666, 0, 0},
                        {"/dev/net/tun", 'c', 10, 200, 0602, 12, 34},
                        {"/lib/block", 'b', 7, 99, 0640, 0, 5},
                        {"/dev/pipe", 'p', 0, 0, 0622, 0, 0}};
  scene.link("usr", "/root/lib");
  scene.make_dir("/root/usr");
  REQUIRE(devices_of(scene) == "");
  const std::string root = scene.plan.path;
  const struct stat null = stat_of(root + "/dev/null");
  CHECK(null.st_mode == (S_IFCHR | 0666));
  CHECK(null.st_rdev == makedev(1, 3));
  const struct stat tun = stat_of(root + "/dev/net/tun");
  CHECK(tun.st_mode == (S_IFCHR | 0602));
  CHECK(tun.st_rdev == makedev(10, 200));
  CHECK(tun.st_uid == 12);
  CHECK(tun.st_gid == 34);
  CHECK(stat_of(root + "/usr/block").st_mode == (S_IFBLK | 0640));
  CHECK(stat_of(root + "/dev/pipe").st_mode == (S_IFIFO | 0622));
  // A second time all is there already, which is no error.
  CHECK(devices_of(scene) == "");
}

TEST_CASE("the standard links are made and ptmx is the container's own", "[rootfs]") {
  HULL_NEEDS_MOUNTS();
  Scene scene;
  scene.write("/root/dev/ptmx", "an image's file");
  REQUIRE(devices_of(scene) == "");
  const std::string dev = scene.plan.path + "/dev";
  CHECK(link_text(dev + "/fd") == "/proc/self/fd");
  CHECK(link_text(dev + "/stdin") == "/proc/self/fd/0");
  CHECK(link_text(dev + "/stdout") == "/proc/self/fd/1");
  CHECK(link_text(dev + "/stderr") == "/proc/self/fd/2");
  CHECK(link_text(dev + "/ptmx") == "pts/ptmx");
  CHECK(exists(dev + "/core") == exists("/proc/kcore"));
  CHECK(devices_of(scene) == "");
}

TEST_CASE("a file that differs at a device's path is an error", "[rootfs]") {
  HULL_NEEDS_MOUNTS();
  for (const bool bind : {false, true}) {
    Scene scene;
    scene.plan.bind_devices = bind;
    scene.add_default_devices();
    REQUIRE(mknod((scene.plan.path + "/dev/null").c_str(), S_IFCHR | 0666, makedev(1, 5)) == 0);
    const std::string error = devices_of(scene);
    CHECK(contains(error, "a file that is not the requested device exists at \"/dev/null\""));
    CHECK(contains(error, "/linux/devices"));
    REQUIRE(unlink((scene.plan.path + "/dev/null").c_str()) == 0);
    scene.link("zero", "/root/dev/null");
    CHECK(contains(devices_of(scene), "a file that is not the requested device exists"));
    REQUIRE(unlink((scene.plan.path + "/dev/null").c_str()) == 0);
    scene.write("/root/dev/null", "content");
    CHECK(contains(devices_of(scene), "a file that is not the requested device exists"));
  }
}

TEST_CASE("without mknod devices are bound from the host", "[rootfs]") {
  HULL_NEEDS_MOUNTS();
  Scene scene;
  scene.plan.bind_devices = true;
  scene.add_default_devices();
  scene.plan.devices.push_back({"/dev/pipe", 'p', 0, 0, 0600, 0, 0});
  CHECK(in_mount_namespace([&] {
          const Fd root = prepare(scene);
          const std::string null = scene.plan.path + "/dev/null";
          expect(stat_of(null).st_rdev == makedev(1, 3), "the null device");
          expect_equal(mount_at(null).root, "/null");
          expect(S_ISFIFO(stat_of(scene.plan.path + "/dev/pipe").st_mode), "a FIFO");
        }) == "");
  CHECK(S_ISREG(stat_of(scene.plan.path + "/dev/null").st_mode));
  scene.plan.devices = {{"/dev/null", 'c', 1, 5, 0666, 0, 0}};
  CHECK(contains(devices_of(scene), "the host's file is not the device"));
}

TEST_CASE("a /dev that is the host's is left alone", "[rootfs]") {
  HULL_NEEDS_MOUNTS();
  Scene scene;
  scene.add_default_devices();
  scene.add_bind("/dev", "/decoy");
  CHECK(devices_of(scene) == "");
  CHECK(scene.decoy_is_empty());
}

TEST_CASE("no device and no link is made through a /dev that is a link", "[rootfs]") {
  HULL_NEEDS_MOUNTS();
  Scene scene;
  scene.remove_dir("/root/dev");
  scene.link(scene.base() + "/decoy", "/root/dev");
  CHECK(contains(devices_of(scene), "symbolic links are not followed below /dev"));
  // Also where the link's target is a directory of the host inside the container.
  scene.make_dir("/root/volume");
  REQUIRE(unlink((scene.plan.path + "/dev").c_str()) == 0);
  scene.link("/volume", "/root/dev");
  scene.add_bind("/volume", "/decoy");
  CHECK(contains(devices_of(scene), "symbolic links are not followed below /dev"));
  CHECK(scene.decoy_is_empty());
}

namespace {

struct Console {
  Scene scene;
  Console() {
    scene.add("/proc", "proc", "proc");
    scene.add("/dev", "tmpfs", "tmpfs", MS_NOSUID, "mode=755");
    scene.add("/dev/pts", "devpts", "devpts", 0, "newinstance,ptmxmode=0666,mode=0620");
  }
  // `spoil` runs in the container before the terminal is bound.
  template <class Spoil, class Look>
  std::string bind(Spoil spoil, Look look) {
    return in_mount_namespace([&] {
      const Fd root = prepare(scene);
      enter(scene.plan, root.get());
      const Fd master = open_or_throw(AT_FDCWD, "/dev/pts/ptmx", O_RDWR | O_NOCTTY);
      int unlock = 0;
      expect(ioctl(master.get(), TIOCSPTLCK, &unlock) == 0, "unlock");
      const Fd slave(ioctl(master.get(), TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC));
      expect(slave.valid(), "a pty");
      mount_console(spoil(slave.get()));
      look();
    });
  }
};

}  // namespace

TEST_CASE("the terminal is bound on /dev/console", "[rootfs]") {
  HULL_NEEDS_MOUNTS();
  Console console;
  const auto is_there = [] {
    expect_equal(mount_at("/dev/console").fs_type, "devpts");
    expect(S_ISCHR(stat_of("/dev/console").st_mode), "a terminal");
  };
  CHECK(console.bind([](int slave) { return slave; }, is_there) == "");
  const auto with_file = [](int slave) {
    open_or_throw(AT_FDCWD, "/dev/console", O_CREAT | O_WRONLY, 0600);
    return slave;
  };
  CHECK(console.bind(with_file, is_there) == "");
}

TEST_CASE("a link at /dev/console and what is no terminal are refused", "[rootfs]") {
  HULL_NEEDS_MOUNTS();
  Console console;
  const auto with_link = [](int slave) {
    expect(symlink("/etc/new", "/dev/console") == 0, "symlink");
    return slave;
  };
  CHECK(contains(console.bind(with_link, [] {}), "is neither a file nor a character device"));
  CHECK_FALSE(exists(console.scene.plan.path + "/etc/new"));
  const auto other = [](int) { return open("/proc/sys/kernel/hostname", O_RDONLY | O_CLOEXEC); };
  CHECK(contains(console.bind(other, [] {}), "the terminal is not a pty of a devpts"));
}

}  // namespace hull::rootfs
