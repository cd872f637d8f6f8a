#include "libruntime/cgroups/paths.h"

#include "libruntime/system/catch.h"
#include "libruntime/system/error.h"

namespace hull::cgroups {
namespace {

using Paths = std::map<std::string, std::string>;

Layout v2_layout(const std::string& root = "/") {
  return {Mode::v2, {{"", {}, "/sys/fs/cgroup", root}}};
}

Layout hybrid_layout() {
  return {Mode::hybrid,
          {{"cpu", {"cpu", "cpuacct"}, "/sys/fs/cgroup/cpu,cpuacct", "/"},
           {"name=systemd", {}, "/sys/fs/cgroup/systemd", "/"},
           {"", {}, "/sys/fs/cgroup/unified", "/"}}};
}

configs::Cgroup with_path(const std::string& path) {
  configs::Cgroup config;
  config.path = path;
  return config;
}

configs::Cgroup with_name(const std::string& name) {
  configs::Cgroup config;
  config.name = name;
  return config;
}

constexpr std::string_view kOwn = "3:cpu,cpuacct:/a\n2:name=systemd:/user/s:1\n0::/u/v\n";

TEST_CASE("an absolute cgroup path starts at the mount points") {
  CHECK(container_paths(with_path("/x/y"), hybrid_layout(), "") ==
        Paths{{"", "/sys/fs/cgroup/unified/x/y"},
              {"cpu", "/sys/fs/cgroup/cpu,cpuacct/x/y"},
              {"cpuacct", "/sys/fs/cgroup/cpu,cpuacct/x/y"},
              {"name=systemd", "/sys/fs/cgroup/systemd/x/y"}});
  CHECK(container_paths(with_path("/x"), v2_layout(), "") == Paths{{"", "/sys/fs/cgroup/x"}});
}

TEST_CASE("on v1 a name or a relative path starts at the caller's own cgroup") {
  const Paths expected{{"", "/sys/fs/cgroup/unified/u/v/c1"},
                       {"cpu", "/sys/fs/cgroup/cpu,cpuacct/a/c1"},
                       {"cpuacct", "/sys/fs/cgroup/cpu,cpuacct/a/c1"},
                       {"name=systemd", "/sys/fs/cgroup/systemd/user/s:1/c1"}};
  CHECK(container_paths(with_name("c1"), hybrid_layout(), kOwn) == expected);
  CHECK(container_paths(with_path("c1"), hybrid_layout(), kOwn) == expected);
}

TEST_CASE("on v2 a relative path starts at the parent of the caller's own cgroup") {
  CHECK(container_paths(with_name("c1"), v2_layout(), kOwn) == Paths{{"", "/sys/fs/cgroup/u/c1"}});
  CHECK(container_paths(with_name("c1"), v2_layout(), "0::/\n") ==
        Paths{{"", "/sys/fs/cgroup/c1"}});
}

TEST_CASE("where only a part of the hierarchy is mounted, the own path is taken from there") {
  CHECK(container_paths(with_name("c1"), v2_layout("/docker/abc"), "0::/docker/abc/sub/x\n") ==
        Paths{{"", "/sys/fs/cgroup/sub/c1"}});
  CHECK(container_paths(with_name("c1"), v2_layout("/docker/abc"), "0::/docker/abc\n") ==
        Paths{{"", "/sys/fs/cgroup/c1"}});
  CHECK_THROWS_AS(container_paths(with_name("c1"), v2_layout("/docker/abc"), "0::/docker/abcd\n"),
                  Error);
  CHECK_THROWS_AS(container_paths(with_name("c1"), v2_layout(), "0::/../other\n"), Error);
  CHECK_THROWS_AS(container_paths(with_name("c1"), v2_layout(), ""), Error);
}

TEST_CASE("a parent and a name are put together") {
  configs::Cgroup config = with_name("c1");
  config.parent = "/pods";
  CHECK_FALSE(relative_to_own(config));
  CHECK(container_paths(config, v2_layout(), "") == Paths{{"", "/sys/fs/cgroup/pods/c1"}});
  config.parent = "pods";
  CHECK(relative_to_own(config));
  CHECK(container_paths(config, v2_layout(), kOwn) == Paths{{"", "/sys/fs/cgroup/u/pods/c1"}});
  config.path = "/z";
  CHECK_THROWS_AS(container_paths(config, v2_layout(), kOwn), Error);
}

TEST_CASE("a relative path can't climb out of where it starts") {
  CHECK(container_paths(with_path("../../c1"), v2_layout(), kOwn) ==
        Paths{{"", "/sys/fs/cgroup/u/c1"}});
  CHECK(container_paths(with_path("/../../c1"), v2_layout(), kOwn) ==
        Paths{{"", "/sys/fs/cgroup/c1"}});
}

TEST_CASE("the root of a hierarchy is no container's cgroup") {
  CHECK_THROWS_AS(container_paths(with_path("/"), v2_layout(), ""), Error);
  CHECK_THROWS_AS(container_paths(with_path("/a/.."), v2_layout(), ""), Error);
  CHECK_THROWS_AS(container_paths(with_path(".."), v2_layout(), kOwn), Error);
  CHECK_THROWS_AS(container_paths(with_name(""), v2_layout(), kOwn), Error);
}

TEST_CASE("the own cgroup is found by controller, name and version", "[L65]") {
  CHECK(own_cgroup(kOwn, "cpuacct") == "/a");
  CHECK(own_cgroup(kOwn, "name=systemd") == "/user/s:1");
  CHECK(own_cgroup(kOwn, "") == "/u/v");
  CHECK(own_cgroup(kOwn, "memory").empty());
  CHECK(own_cgroup("nonsense", "").empty());
}

}  // namespace
}  // namespace hull::cgroups
