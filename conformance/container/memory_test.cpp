#include <algorithm>
#include <cstdint>
#include <string>

#include "conformance/container/bundle.h"
#include "conformance/container/host.h"
#include "conformance/container/hull.h"
#include "libruntime/system/catch.h"
#include "libruntime/system/files.h"

namespace hull::conformance {

TEST_CASE("a container starts under a memory limit of 256 KiB", "[F1][J6][users-ask-9]") {
  Bundle bundle;
  bundle.args({"/bin/true"});
  bundle.config["linux"]["resources"]["memory"] = {{"limit", 256 << 10}};
  // The kernel charges 64 pages in advance for each CPU, which is the whole limit: on one CPU they
  // are not lost to another when the process moves.
  if (has_controller("cpuset")) bundle.config["linux"]["resources"]["cpu"] = {{"cpus", "0"}};
  bundle.save();
  int started = 0;
  for (int i = 0; i < 10; ++i) {
    Hull hull(bundle);
    if (hull.run().exit_code == 0) ++started;
  }
  // The launcher may have been on the other CPU when its child was charged.
  CHECK(started >= 8);
}

// 592 KiB with a current cmd/hull/hot-functions.txt, a MiB and more with one that names none of the
// functions that the init runs now: then it is time to make it anew (conformance/bench).
TEST_CASE("the waiting init is small: what it runs lies together in the executable", "[J6]") {
  if (!Hull::is_hull()) HULL_SKIP("about hull's executable");
  Bundle bundle;
  bundle.args({"/bin/true"});
  size_t smallest = SIZE_MAX;
  for (int i = 0; i < 3; ++i) {
    Hull hull(bundle);
    REQUIRE(hull.create().exit_code == 0);
    const std::string status = read_file("/proc/" + std::to_string(hull.pid()) + "/status");
    const size_t at = status.find("VmHWM:");
    REQUIRE(at != std::string::npos);
    smallest = std::min(smallest, static_cast<size_t>(std::stoul(status.substr(at + 6))));
  }
  INFO(smallest << " KiB");
  CHECK(smallest <= 800);
}

}  // namespace hull::conformance
