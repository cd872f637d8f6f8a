// hull and Debian's runc on each other's containers: the state directory is the contract.
#include <unistd.h>

#include "conformance/container/bundle.h"
#include "conformance/container/hull.h"
#include "libruntime/system/catch.h"

namespace hull::conformance {
namespace {

constexpr char kRunc[] = "/usr/sbin/runc";

// One life: `maker` creates, `other` does all the rest; both must say the same on the way.
void check_life(const std::string& maker, const std::string& other) {
  Bundle bundle;
  bundle.args({"/bin/sleep", "1000"});
  bundle.save();
  const Hull hull(bundle);
  const auto call = [&](const std::string& program, std::vector<std::string> words) {
    words.insert(words.begin(), {program, "--root", hull.root()});
    return run_command(words);
  };
  const auto by_other = [&](std::vector<std::string> words) {
    const Outcome done = call(other, std::move(words));
    INFO(done.err);
    CHECK(done.exit_code == 0);
    return done.out;
  };
  const auto both_say = [&](const std::string& status) {
    for (const std::string& program : {maker, other}) {
      INFO(program);
      CHECK(contains(call(program, {"state", hull.id()}).out, "\"status\": \"" + status + "\""));
    }
  };
  INFO("made by " << maker << ", managed by " << other);
  REQUIRE(call(maker, {"create", "--bundle", bundle.dir(), hull.id()}).exit_code == 0);
  both_say("created");
  by_other({"start", hull.id()});
  both_say("running");
  CHECK(contains(by_other({"list"}), hull.id()));
  CHECK(by_other({"exec", hull.id(), "/bin/sh", "-c", "echo inside $(hostname)"})
            .starts_with("inside "));
  CHECK(contains(by_other({"ps", hull.id()}), "sleep"));
  by_other({"pause", hull.id()});
  both_say("paused");
  by_other({"resume", hull.id()});
  both_say("running");
  by_other({"kill", hull.id(), "KILL"});
  CHECK(hull.reaches("stopped"));
  both_say("stopped");
  by_other({"delete", hull.id()});
  CHECK(hull.status().empty());
}

}  // namespace

TEST_CASE("hull manages what runc made, and runc what hull made", "[C1][C2][L3]") {
  if (access(kRunc, X_OK) != 0) HULL_SKIP("Debian's runc is not installed");
  if (!Hull::is_hull()) HULL_SKIP("another runtime is under test");
  check_life(kRunc, Hull::program());
  check_life(Hull::program(), kRunc);
}

}  // namespace hull::conformance
