#include "specconv/joined_maps.h"

#include <sched.h>
#include <sys/wait.h>
#include <unistd.h>

#include "libruntime/system/catch.h"
#include "libruntime/system/error.h"
#include "libruntime/system/files.h"
#include "libruntime/system/user_namespace.h"

namespace hull::specconv {
namespace {

using Maps = std::vector<configs::IdMap>;

std::string text_of(const Maps& maps) {
  std::string out;
  for (const configs::IdMap& map : maps)
    out += std::to_string(map.container_id) + " " + std::to_string(map.host_id) + " " +
           std::to_string(map.size) + ";";
  return out;
}

}  // namespace

TEST_CASE("a map of IDs is read as the kernel writes it", "[specconv]") {
  CHECK(text_of(
            parse_id_map("         0     100000      65536\n     65536       1000          1\n")) ==
        "0 100000 65536;65536 1000 1;");
  CHECK(parse_id_map("").empty());
  for (const char* bad : {"1 2", "1 2 x", "1 2 4294967296", "1 2 3 4"})
    CHECK_THROWS_AS(parse_id_map(bad), Error);
}

TEST_CASE("maps are the same in whatever order and pieces they come", "[specconv]") {
  CHECK(same_maps({{0, 10, 5}, {5, 15, 5}}, {{0, 10, 10}}));
  CHECK(same_maps({{7, 1, 1}, {0, 10, 5}}, {{0, 10, 5}, {7, 1, 1}}));
  CHECK_FALSE(same_maps({{0, 10, 5}}, {{0, 10, 6}}));
  CHECK_FALSE(same_maps({{0, 10, 5}}, {{0, 11, 5}}));
  CHECK_FALSE(same_maps({{0, 10, 5}, {5, 16, 5}}, {{0, 10, 10}}));
  CHECK_FALSE(same_maps({}, {{0, 0, 1}}));
}

TEST_CASE("the maps of a joined user namespace are read, and compared with those given",
          "[specconv]") {
  if (geteuid() != 0) HULL_SKIP("writing a map of other IDs takes root");
  const UserNamespaceHolder other;
  write_existing_at(other.directory(), "uid_map", "0 100000 10\n10 5000 1\n");
  write_existing_at(other.directory(), "gid_map", "0 200000 10\n");
  const std::string path = "/proc/self/fd/" + std::to_string(other.directory()) + "/ns/user";
  Linux container;
  container.namespaces = {{configs::NamespaceType::mount, ""},
                          {configs::NamespaceType::user, path}};
  read_joined_maps(container);
  CHECK(text_of(container.uid_mappings) == "0 100000 10;10 5000 1;");
  CHECK(text_of(container.gid_mappings) == "0 200000 10;");

  container.uid_mappings = {{10, 5000, 1}, {0, 100'000, 10}};
  CHECK_NOTHROW(read_joined_maps(container));
  container.gid_mappings[0].host_id = 1;
  try {
    read_joined_maps(container);
    FAIL("other maps were accepted");
  } catch (const Error& e) {
    CHECK(e.field() == "/linux/gidMappings");
    CHECK(e.message().starts_with("user namespaces enabled, but both namespace path and non-"));
  }
}

TEST_CASE("a user namespace that can't be entered is an error with its pointer", "[specconv]") {
  Linux container;
  container.namespaces = {{configs::NamespaceType::user, "/proc/self/ns/net"}};
  try {
    read_joined_maps(container);
    FAIL("it was entered");
  } catch (const Error& e) {
    CHECK(e.field() == "/linux/namespaces/0/path");
  }
}

}  // namespace hull::specconv
