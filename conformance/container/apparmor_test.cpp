// AppArmor: the profile is in force inside. Needs a kernel with AppArmor and apparmor_parser;
// conformance/vm has both.
#include <unistd.h>

#include "conformance/container/bundle.h"
#include "conformance/container/host.h"
#include "conformance/container/hull.h"
#include "libruntime/security/lsm.h"
#include "libruntime/system/catch.h"

namespace hull::conformance {
namespace {

// A profile that is loaded while this lives: all may be done but writing below /tmp/denied.
class Profile {
 public:
  explicit Profile(const Bundle& bundle)
      : name(bundle.mark() + "-profile"), file_(bundle.dir() + "/profile") {
    write_file(file_, "profile " + name +
                          " flags=(attach_disconnected,mediate_deleted) {\n"
                          "  file, capability, network, mount, umount, pivot_root, signal, ptrace, "
                          "unix,\n"
                          "  deny /tmp/denied/** w,\n"
                          "}\n");
    const Outcome loaded = run_command({"apparmor_parser", "--replace", "--skip-cache", file_});
    INFO(loaded.err);
    REQUIRE(loaded.exit_code == 0);
  }
  ~Profile() { CHECK(run_command({"apparmor_parser", "--remove", file_}).exit_code == 0); }
  Profile(const Profile&) = delete;
  Profile& operator=(const Profile&) = delete;

  const std::string name;

 private:
  std::string file_;
};

bool can_load_profiles() {
  return security::apparmor_enabled() &&
         run_command({"apparmor_parser", "--version"}).exit_code == 0;
}

constexpr char kTry[] =
    "cat /proc/self/attr/current; mkdir -p /tmp/denied; echo 1 > /tmp/allowed; echo $?; "
    "echo 1 > /tmp/denied/file; echo $?";

}  // namespace

TEST_CASE("the AppArmor profile is in force in the container, and for exec", "[D35][B29]") {
  if (!can_load_profiles()) HULL_SKIP("no AppArmor");
  Bundle bundle;
  const Profile profile(bundle);
  bundle.config["process"]["apparmorProfile"] = profile.name;
  const std::string confined = profile.name + " (enforce)\n0\n1";
  SECTION("as the first process") {
    SECTION("of root") {}
    SECTION("without new privileges") { bundle.config["process"]["noNewPrivileges"] = true; }
    SECTION("in a user namespace") { bundle.user_namespace(); }
    CHECK(output_of(bundle, kTry) == confined);
  }
  SECTION("in another one") {
    bundle.args({"/bin/sleep", "1000"});
    Hull hull(bundle);
    hull.launch();
    CHECK(hull.inside(kTry) == confined);
    CHECK(contains(hull.inside(kTry, {"--apparmor", "unconfined"}), "unconfined\n0\n0"));
  }
}

TEST_CASE("an AppArmor profile that is not loaded is refused by name", "[D35]") {
  if (!can_load_profiles()) HULL_SKIP("no AppArmor");
  Bundle bundle;
  bundle.config["process"]["apparmorProfile"] = "hull-no-such-profile";
  const std::string refused = refusal_of(bundle);
  INFO(refused);
  CHECK(contains(refused, "hull-no-such-profile"));
  CHECK(contains(refused, "/process/apparmorProfile"));
  CHECK(contains(refused, "is the profile loaded?"));
}

}  // namespace hull::conformance
