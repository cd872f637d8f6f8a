#include "libruntime/cgroups/delegate.h"

#include <sys/stat.h>

#include "libruntime/cgroups/test_cgroups.h"
#include "libruntime/system/catch.h"

namespace hull::cgroups {
namespace {

using test::FakeTree;

uid_t owner_of(const std::string& path) {
  struct stat info {};
  REQUIRE(stat(path.c_str(), &info) == 0);
  return info.st_uid;
}

struct Cgroup {
  Cgroup() {
    dir = tree.directory("c");
    for (const char* name :
         {"cgroup.procs", "cgroup.subtree_control", "memory.max", "memory.reclaim"})
      tree.file(std::string("c/") + name);
  }
  [[nodiscard]] uid_t owner(const std::string& name) const { return owner_of(dir + "/" + name); }
  FakeTree tree;
  std::string dir;
};

}  // namespace

TEST_CASE("a cgroup is given away with the files that the kernel lists, and no others") {
  if (geteuid() != 0) HULL_SKIP("needs root");
  Cgroup cgroup;
  cgroup.tree.file("list", "cgroup.procs\ncgroup.threads\nmemory.reclaim\n");
  delegate_cgroup(cgroup.dir, 1234, cgroup.tree.root() + "/list");
  CHECK(owner_of(cgroup.dir) == 1234);
  CHECK(cgroup.owner("cgroup.procs") == 1234);
  CHECK(cgroup.owner("memory.reclaim") == 1234);
  CHECK(cgroup.owner("cgroup.subtree_control") == 0);
  CHECK(cgroup.owner("memory.max") == 0);
}

TEST_CASE("without the kernel's list the three files that the specification names go along") {
  if (geteuid() != 0) HULL_SKIP("needs root");
  Cgroup cgroup;
  delegate_cgroup(cgroup.dir, 1234, cgroup.tree.root() + "/none");
  CHECK(cgroup.owner("cgroup.procs") == 1234);
  CHECK(cgroup.owner("cgroup.subtree_control") == 1234);
  CHECK(cgroup.owner("memory.reclaim") == 0);
}

TEST_CASE("a cgroup that can't be given away is an error") {
  CHECK_THROWS_AS(delegate_cgroup("/no/such/cgroup", 1), Error);
}

}  // namespace hull::cgroups
