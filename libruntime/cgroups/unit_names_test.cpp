#include "libruntime/cgroups/unit_names.h"

#include "libruntime/system/catch.h"
#include "libruntime/system/error.h"

using hull::cgroups::slice_name;
using hull::cgroups::slice_path;
using hull::cgroups::unit_directory;
using hull::cgroups::unit_name;

TEST_CASE("a container's unit is a scope, unless its name is a slice's", "[cgroups][systemd]") {
  hull::configs::Cgroup config;
  config.scope_prefix = "docker";
  config.name = "c1";
  CHECK(unit_name(config) == "docker-c1.scope");
  config.scope_prefix = "";
  CHECK(unit_name(config) == "-c1.scope");
  config.name = "a-b.slice";
  CHECK(unit_name(config) == "a-b.slice");
  config.name = "a/b";
  CHECK_THROWS_AS(unit_name(config), hull::Error);
}

TEST_CASE("a unit without a slice is in the manager's default one", "[cgroups][systemd]") {
  hull::configs::Cgroup config;
  CHECK(slice_name(config) == "system.slice");
  config.rootless = true;
  CHECK(slice_name(config) == "user.slice");
  config.parent = "-";
  CHECK(slice_name(config) == "-.slice");
  config.parent = "a.slice";
  CHECK(slice_name(config) == "a.slice");
}

TEST_CASE("a slice lies in those that its name begins with", "[cgroups][systemd]") {
  CHECK(slice_path("system.slice") == "/system.slice");
  CHECK(slice_path("a-b-c.slice") == "/a.slice/a-b.slice/a-b-c.slice");
  CHECK(slice_path("-.slice").empty());
  for (const char* bad : {"", "a", ".slice", "a/b.slice", "-a.slice", "a-.slice", "a--b.slice"})
    CHECK_THROWS_WITH(slice_path(bad),
                      std::string("invalid slice name: ") + bad + " (/linux/cgroupsPath)");
}

TEST_CASE("a unit's directory is found from one below it", "[cgroups][systemd]") {
  CHECK(unit_directory("/g/a.slice/x-1.scope", "x-1.scope") == "/g/a.slice/x-1.scope");
  CHECK(unit_directory("/g/a.slice/x-1.scope/c/d", "x-1.scope") == "/g/a.slice/x-1.scope");
  CHECK(unit_directory("/g/x-1.scopes/c", "x-1.scope") == "/g/x-1.scopes/c");
}
