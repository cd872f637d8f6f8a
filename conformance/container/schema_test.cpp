// What hull prints, against the specification's own JSON schemas, where they are at hand.
#include <algorithm>
#include <string>

#include "conformance/container/bundle.h"
#include "conformance/container/host.h"
#include "conformance/container/hull.h"
#include "conformance/container/json_schema.h"
#include "libruntime/system/catch.h"
#include "libruntime/system/files.h"

namespace hull::conformance {
namespace {

const std::string kFolder = HULL_SHARED_DATA "/oci-schema";

Json features_of_hull() {
  const Outcome done = run_command({Hull::program(), "features"});
  REQUIRE(done.exit_code == 0);
  return Json::parse(done.out);
}

}  // namespace

TEST_CASE("the schema checker tells the specification's good samples from its bad ones") {
  if (!exists(kFolder)) HULL_SKIP("the specification's schemas are not here");
  JsonSchema schema(kFolder);
  const auto sample = [&](const std::string& name) {
    return Json::parse(read_file(kFolder + "/test/" + name));
  };
  CHECK(schema.problem("features-schema.json", sample("features/good/runc.json")).empty());
  CHECK(schema.problem("features-schema.json", sample("features/good/minimal.json")).empty());
  CHECK_FALSE(
      schema.problem("features-schema.json", sample("features/bad/missing-ociVersionMax.json"))
          .empty());
  CHECK(schema.problem("state-schema.json", sample("state/good/spec-example.json")).empty());
  CHECK(schema.problem("config-schema.json", sample("config/good/spec-example.json")).empty());
  for (const char* bad : {"linux-hugepage", "linux-netdevice", "linux-rdma"}) {
    INFO(bad);
    CHECK_FALSE(
        schema.problem("config-schema.json", sample("config/bad/" + std::string(bad) + ".json"))
            .empty());
  }
}

TEST_CASE("features is valid by the specification's schema", "[H1][B46]") {
  if (!exists(kFolder)) HULL_SKIP("the specification's schemas are not here");
  CHECK(JsonSchema(kFolder).problem("features-schema.json", features_of_hull()) == "");
}

TEST_CASE("state is valid by the specification's schema", "[B18]") {
  if (!exists(kFolder)) HULL_SKIP("the specification's schemas are not here");
  JsonSchema schema(kFolder);
  Bundle bundle;
  bundle.config["annotations"]["org.example.key"] = "value";
  bundle.args({"/bin/sleep", "100"});
  Hull hull(bundle);
  REQUIRE(hull.create().exit_code == 0);
  CHECK(schema.problem("state-schema.json", hull.state()) == "");
  REQUIRE(hull.start().exit_code == 0);
  CHECK(schema.problem("state-schema.json", hull.state()) == "");
  REQUIRE(hull.kill().exit_code == 0);
  REQUIRE(hull.reaches("stopped"));
  CHECK(schema.problem("state-schema.json", hull.state()) == "");
}

TEST_CASE("spec writes what the specification's schema allows", "[B38]") {
  if (!exists(kFolder)) HULL_SKIP("the specification's schemas are not here");
  for (const std::vector<std::string>& flags :
       std::vector<std::vector<std::string>>{{}, {"--rootless"}}) {
    Bundle bundle;
    std::vector<std::string> argv = {Hull::program(), "spec", "--bundle", bundle.dir()};
    argv.insert(argv.end(), flags.begin(), flags.end());
    REQUIRE(run_command(argv).exit_code == 0);
    CHECK(JsonSchema(kFolder).problem("config-schema.json",
                                      Json::parse(bundle.read("config.json"))) == "");
  }
}

TEST_CASE("features names all that the specification defines for it",
          "[H2][H3][H4][H5][H6][H7][H8][H9][H10][H11][H12][H13][H14]") {
  const Json features = features_of_hull();
  const auto has = [](const Json& list, const char* name) {
    return std::find(list.begin(), list.end(), name) != list.end();
  };
  CHECK(features.at("hooks") == Json{"prestart", "createRuntime", "createContainer",
                                     "startContainer", "poststart", "poststop"});
  for (const char* option : {"iversion", "lazytime", "loud", "nosymfollow", "rro", "rnosymfollow",
                             "silent", "tmpcopyup", "unbindable"})
    CHECK(has(features.at("mountOptions"), option));
  const Json& part = features.at("linux");
  CHECK(part.at("namespaces").size() == 8);
  CHECK(has(part.at("capabilities"), "CAP_CHECKPOINT_RESTORE"));
  for (const char* key : {"v1", "v2", "systemd", "systemdUser", "rdma"})
    CHECK(part.at("cgroup").at(key).is_boolean());
  const Json& seccomp = part.at("seccomp");
  CHECK(seccomp.at("enabled") == true);
  CHECK(has(seccomp.at("actions"), "SCMP_ACT_NOTIFY"));
  CHECK(has(seccomp.at("operators"), "SCMP_CMP_MASKED_EQ"));
  CHECK(has(seccomp.at("archs"), "SCMP_ARCH_RISCV64"));
  for (const Json& flag : seccomp.at("supportedFlags"))
    CHECK(has(seccomp.at("knownFlags"), flag.get<std::string>().c_str()));
  for (const char* module : {"apparmor", "selinux", "intelRdt", "netDevices"})
    CHECK(part.at(module).at("enabled").is_boolean());
  CHECK(part.at("mountExtensions").at("idmap").at("enabled").is_boolean());
  CHECK(features.at("annotations").contains("org.opencontainers.runc.checkpoint.enabled"));
  CHECK(features.at("annotations").contains("io.github.seccomp.libseccomp.version"));
  for (const char* prefix : {"bundle", "org.systemd.property.", "org.criu.config", "run.oci."})
    CHECK(has(features.at("potentiallyUnsafeConfigAnnotations"), prefix));
}

}  // namespace hull::conformance
