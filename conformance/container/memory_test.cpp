#include "conformance/container/bundle.h"
#include "conformance/container/hull.h"
#include "libruntime/system/catch.h"

namespace hull::conformance {

TEST_CASE("a container starts under a memory limit of 256 KiB", "[F1][J6][users-ask-9]") {
  Bundle bundle;
  bundle.args({"/bin/true"});
  bundle.config["linux"]["resources"]["memory"] = {{"limit", 256 << 10}};
  bundle.save();
  for (int i = 0; i < 10; ++i) {
    Hull hull(bundle);
    CHECK(hull.run().exit_code == 0);
  }
}

}  // namespace hull::conformance
