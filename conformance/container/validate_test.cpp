// hull validate: all problems of a bundle at once, and what this host would make of it.
#include "conformance/container/bundle.h"
#include "conformance/container/host.h"
#include "conformance/container/hull.h"
#include "libruntime/security/lsm.h"
#include "libruntime/system/catch.h"
#include "libruntime/system/files.h"

namespace hull::conformance {
namespace {

struct Verdict {
  int exit_code;
  Json findings;

  // The finding of this value, or null.
  [[nodiscard]] Json of(const std::string& pointer) const {
    for (const Json& one : findings)
      if (one.at("pointer") == pointer) return one;
    return nullptr;
  }
  [[nodiscard]] std::string severity(const std::string& pointer) const {
    const Json one = of(pointer);
    return one.is_null() ? "none" : one.at("severity").get<std::string>();
  }
};

Verdict validate(const Bundle& bundle) {
  bundle.save();
  const Outcome done = run_command({Hull::program(), "validate", "--format", "json", bundle.dir()});
  INFO(done.err);
  REQUIRE((done.exit_code == 0 || done.exit_code == 1));
  return {done.exit_code, Json::parse(done.out)};
}

}  // namespace

TEST_CASE("validate finds nothing wrong with what runs", "[validate]") {
  if (!Hull::is_hull()) HULL_SKIP("another runtime has no such command");
  Bundle bundle;
  CHECK(validate(bundle).exit_code == 0);
  CHECK(validate(bundle).findings == Json::array());
  const Outcome text = run_command({Hull::program(), "validate"}, {.dir = bundle.dir()});
  CHECK(text.exit_code == 0);
  CHECK(text.out == "");
  CHECK(Hull(bundle).run().exit_code == 0);
}

TEST_CASE("validate tells all problems of a configuration with pointer and section", "[validate]") {
  if (!Hull::is_hull()) HULL_SKIP("another runtime has no such command");
  Bundle bundle;
  bundle.config["ociVersion"] = 7;
  bundle.config["process"]["cwd"] = "relative";
  bundle.config["process"]["rlimits"][0]["soft"] = "many";
  bundle.config["hooks"]["prestart"] = {{{"path", "relative"}}};
  bundle.config["linux"]["namespaces"].push_back({{"type", "pid"}});
  bundle.config["linux"]["sysctl"]["vm.swappiness"] = "1";
  const Verdict verdict = validate(bundle);
  CHECK(verdict.exit_code == 1);
  for (const auto& [pointer, section] : std::vector<std::pair<std::string, std::string>>{
           {"/ociVersion", "config.md#specification-version"},
           {"/process/cwd", "config.md#process"},
           {"/process/rlimits/0/soft", "config.md#posix-process"},
           {"/hooks/prestart/0/path", "config.md#posix-platform-hooks"},
           {"/linux/namespaces/5/type", "config-linux.md#namespaces"},
           {"/linux/sysctl/vm.swappiness", "config-linux.md#sysctl"}}) {
    INFO(pointer << " in " << verdict.findings.dump(1));
    REQUIRE(verdict.severity(pointer) == "error");
    CHECK(verdict.of(pointer).at("section") == section);
  }
  const Outcome text = run_command({Hull::program(), "validate", bundle.dir()});
  CHECK(text.exit_code == 1);
  CHECK(contains(text.out,
                 "/process/cwd: error: Cwd must be an absolute path, not \"relative\" "
                 "[config.md#process]\n"));
}

TEST_CASE("validate tells what this host lacks, and create fails on it", "[validate]") {
  if (!Hull::is_hull()) HULL_SKIP("another runtime has no such command");
  const auto check = [](const std::string& pointer, void (*change)(Bundle&)) {
    Bundle bundle;
    change(bundle);
    const Verdict verdict = validate(bundle);
    INFO(pointer << " in " << verdict.findings.dump(1));
    CHECK(verdict.exit_code == 1);
    CHECK(verdict.severity(pointer) == "error");
    CHECK(Hull(bundle).run().exit_code == 1);
  };
  check("/root/path", [](Bundle& b) { b.config["root"]["path"] = "absent"; });
  check("/process/args/0", [](Bundle& b) { b.args({"absent"}); });
  check("/process/args/0", [](Bundle& b) { b.args({"/etc"}); });
  check("/mounts/7/source", [](Bundle& b) { b.bind("/absent", "/x"); });
  check("/hooks/createRuntime/0/path", [](Bundle& b) {
    b.config["hooks"]["createRuntime"] = {{{"path", "/absent"}}};
  });
  check("/linux/namespaces/5/path", [](Bundle& b) {
    b.config["linux"]["namespaces"].push_back({{"type", "user"}, {"path", "/proc/self/ns/net"}});
  });
  check("/linux/namespaces/0/path", [](Bundle& b) { b.name_space("pid")["path"] = "/absent"; });
  check("/linux/sysctl/kernel.shm_absent",
        [](Bundle& b) { b.config["linux"]["sysctl"]["kernel.shm_absent"] = "1"; });
  check("/linux/seccomp/listenerPath", [](Bundle& b) {
    b.config["linux"]["seccomp"] = {
        {"defaultAction", "SCMP_ACT_ALLOW"},
        {"listenerPath", "/absent"},
        {"syscalls", {{{"names", {"mkdir"}}, {"action", "SCMP_ACT_NOTIFY"}}}}};
  });
  if (!security::apparmor_enabled())
    check("/process/apparmorProfile",
          [](Bundle& b) { b.config["process"]["apparmorProfile"] = "some-profile"; });
  if (!has_controller("rdma") && !in_cgroup_v2("pids"))
    check("/linux/resources/unified", [](Bundle& b) {
      b.config["linux"]["resources"]["unified"] = {{"pids.max", "7"}};
    });
}

TEST_CASE("validate warns of what a container must do without", "[validate]") {
  if (!Hull::is_hull()) HULL_SKIP("another runtime has no such command");
  Bundle bundle;
  bundle.capabilities({"CAP_KILL", "CAP_NO_SUCH"});
  bundle.config["linux"]["seccomp"] = {
      {"defaultAction", "SCMP_ACT_ALLOW"},
      {"syscalls", {{{"names", {"mkdir", "no_such"}}, {"action", "SCMP_ACT_ERRNO"}}}}};
  const Verdict verdict = validate(bundle);
  INFO(verdict.findings.dump(1));
  CHECK(verdict.exit_code == 0);
  CHECK(verdict.severity("/process/capabilities/bounding/1") == "warning");
  CHECK(verdict.severity("/process/capabilities/bounding/0") == "none");
  CHECK(verdict.severity("/linux/seccomp/syscalls/0/names/1") == "warning");
  CHECK(Hull(bundle).run().exit_code == 0);
}

TEST_CASE("validate of a configuration that is no JSON or not there", "[validate]") {
  if (!Hull::is_hull()) HULL_SKIP("another runtime has no such command");
  Bundle bundle;
  write_file(bundle.dir() + "/config.json", "{");
  const Outcome broken = run_command({Hull::program(), "validate", bundle.dir()});
  CHECK(broken.exit_code == 1);
  CHECK(contains(broken.out, "/: error: invalid JSON"));
  CHECK(run_command({Hull::program(), "validate", bundle.dir() + "/absent"}).exit_code == 1);
  CHECK(run_command({Hull::program(), "validate", "--format", "xml", bundle.dir()}).exit_code == 1);
}

}  // namespace hull::conformance
