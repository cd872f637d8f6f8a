#include "libruntime/launch/sub_cgroup.h"

#include "libruntime/system/catch.h"
#include "libruntime/system/error.h"

using hull::launch::sub_cgroup_paths;
using Paths = std::map<std::string, std::string>;

TEST_CASE("exec --cgroup goes below the container's cgroup, in all hierarchies or in those named") {
  const Paths base{{"memory", "/m/t/c1"}, {"cpu", "/c/t/c1"}};
  CHECK(sub_cgroup_paths(base, {}) == base);
  CHECK(sub_cgroup_paths(base, {"a/b"}) ==
        Paths{{"memory", "/m/t/c1/a/b"}, {"cpu", "/c/t/c1/a/b"}});
  CHECK(sub_cgroup_paths(base, {"/a"}) == Paths{{"memory", "/m/t/c1/a"}, {"cpu", "/c/t/c1/a"}});
  CHECK(sub_cgroup_paths(base, {"cpu:a", "memory:b"}) ==
        Paths{{"memory", "/m/t/c1/b"}, {"cpu", "/c/t/c1/a"}});
}

TEST_CASE(
    "exec --cgroup never leaves the container's cgroup, not even to a sibling of the same prefix") {
  const Paths base{{"", "/sys/fs/cgroup/t/c1"}};
  for (const char* bad : {"..", "../c1x", "a/../../c1x", "/../c1x"})
    CHECK_THROWS_AS(sub_cgroup_paths(base, {bad}), hull::Error);
  CHECK_THROWS_AS(sub_cgroup_paths(base, {"cpu:a"}), hull::Error);
  CHECK_THROWS_AS(sub_cgroup_paths(base, {"a", "b"}), hull::Error);
}
