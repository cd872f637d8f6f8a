#include "libruntime/cgroups/layout.h"

#include "libruntime/system/catch.h"

namespace hull::cgroups {
namespace {

constexpr std::string_view kV2 =
    "25 30 0:23 / /sys/fs/cgroup rw,nosuid,nodev,noexec,relatime shared:4 - cgroup2 cgroup2 "
    "rw,nsdelegate,memory_recursiveprot\n";

constexpr std::string_view kHybrid =
    "30 22 0:27 / /sys/fs/cgroup ro,nosuid shared:9 - tmpfs tmpfs ro,mode=755\n"
    "31 30 0:28 / /sys/fs/cgroup/unified rw,nosuid shared:10 - cgroup2 cgroup2 rw,nsdelegate\n"
    "32 30 0:29 / /sys/fs/cgroup/systemd rw,nosuid shared:11 - cgroup cgroup "
    "rw,xattr,name=systemd\n"
    "33 30 0:30 / /sys/fs/cgroup/cpu,cpuacct rw,nosuid shared:12 - cgroup cgroup rw,cpu,cpuacct\n"
    "34 30 0:31 / /sys/fs/cgroup/openrc rw,nosuid shared:13 - cgroup cgroup rw,name=openrc\n"
    "35 30 0:32 / /sys/fs/cgroup/memory rw,nosuid shared:14 - cgroup cgroup rw,memory\n";

TEST_CASE("cgroup2 at /sys/fs/cgroup is v2") {
  const Layout layout = parse_layout(kV2);
  CHECK(layout.mode == Mode::v2);
  REQUIRE(layout.hierarchies.size() == 1);
  CHECK(layout.hierarchies[0].name.empty());
  CHECK(layout.hierarchies[0].mount_point == "/sys/fs/cgroup");
}

TEST_CASE("a hybrid host has its v1 hierarchies first, then the v2 one", "[L65]") {
  const Layout layout = parse_layout(kHybrid);
  CHECK(layout.mode == Mode::hybrid);
  REQUIRE(layout.hierarchies.size() == 4);
  CHECK(layout.hierarchies[0].name == "name=systemd");
  CHECK(layout.hierarchies[0].controllers.empty());
  CHECK(layout.hierarchies[1].name == "cpu");
  CHECK(layout.hierarchies[1].controllers == std::vector<std::string>{"cpu", "cpuacct"});
  CHECK(layout.hierarchies[1].mount_point == "/sys/fs/cgroup/cpu,cpuacct");
  CHECK(layout.hierarchies[3].name.empty());
  CHECK(layout.hierarchies[3].mount_point == "/sys/fs/cgroup/unified");
}

TEST_CASE("a v2 mount elsewhere does not make a v1 host hybrid") {
  const Layout layout = parse_layout(
      "35 30 0:32 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n"
      "36 30 0:33 / /run/cilium/cgroupv2 rw - cgroup2 none rw\n");
  CHECK(layout.mode == Mode::v1);
  CHECK(layout.hierarchies.size() == 1);
}

TEST_CASE("a v2 mount elsewhere is taken when there is nothing else") {
  const Layout layout = parse_layout("36 30 0:33 / /mnt/cgroup rw - cgroup2 none rw\n");
  CHECK(layout.mode == Mode::v2);
  REQUIRE(layout.hierarchies.size() == 1);
  CHECK(layout.hierarchies[0].mount_point == "/mnt/cgroup");
}

TEST_CASE("of a hierarchy that is mounted twice the one below /sys/fs/cgroup is taken") {
  const Layout layout = parse_layout(
      "35 30 0:32 / /mnt/memory rw - cgroup cgroup rw,memory\n"
      "36 30 0:32 /x /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n");
  REQUIRE(layout.hierarchies.size() == 1);
  CHECK(layout.hierarchies[0].mount_point == "/sys/fs/cgroup/memory");
  CHECK(layout.hierarchies[0].mount_root == "/x");
}

TEST_CASE("a host without cgroups has no hierarchies") {
  CHECK(parse_layout("26 1 254:0 / / rw - ext4 /dev/vda rw\n").hierarchies.empty());
}

TEST_CASE("only what lies strictly below a hierarchy's root is inside") {
  const Layout hybrid = parse_layout(kHybrid);
  CHECK(inside_hierarchy(hybrid, "/sys/fs/cgroup/memory/a"));
  CHECK(inside_hierarchy(hybrid, "/sys/fs/cgroup/unified/a/b"));
  CHECK_FALSE(inside_hierarchy(hybrid, "/sys/fs/cgroup/unified"));
  CHECK_FALSE(inside_hierarchy(hybrid, "/sys/fs/cgroup/memory"));
  CHECK_FALSE(inside_hierarchy(hybrid, "/sys/fs/cgroup/memory/"));
  CHECK_FALSE(inside_hierarchy(hybrid, "/sys/fs/cgroup/memory/a/../../.."));
  CHECK_FALSE(inside_hierarchy(hybrid, "/sys/fs/cgroup/memoryx/a"));
  CHECK_FALSE(inside_hierarchy(hybrid, "/etc"));
  CHECK_FALSE(inside_hierarchy(hybrid, "memory/a"));
  CHECK_FALSE(inside_hierarchy(hybrid, ""));
  CHECK_FALSE(inside_hierarchy(parse_layout(kV2), "/sys/fs/cgroup"));
  CHECK(inside_hierarchy(parse_layout(kV2), "/sys/fs/cgroup/unified"));
}

}  // namespace
}  // namespace hull::cgroups
