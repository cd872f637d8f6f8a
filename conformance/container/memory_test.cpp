#include "conformance/container/bundle.h"
#include "conformance/container/host.h"
#include "conformance/container/hull.h"
#include "libruntime/system/catch.h"

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

}  // namespace hull::conformance
