#include <nlohmann/json.hpp>

#include "libruntime/configs/names.h"
#include "libruntime/system/catch.h"
#include "libruntime/version.h"
#include "specconv/convert.h"
#include "specconv/example.h"
#include "specconv/features.h"
#include "specconv/mount_options.h"
#include "specconv/parse.h"
#include "specconv/validate.h"

// What `spec` and `features` print.
namespace {

using hull::specconv::example_config;
using hull::specconv::features_json;
using hull::specconv::parse;
using hull::specconv::validate;
using Json = nlohmann::json;

}  // namespace

TEST_CASE("the example is a valid configuration", "[specconv][L76]") {
  for (const bool rootless : {false, true}) {
    const auto spec = parse(example_config(rootless, 1000, 1001));
    CHECK_NOTHROW(validate(spec));
    CHECK(spec.oci_version == hull::kSpecVersion);
    CHECK(spec.process->args == std::vector<std::string>{"sh"});
    CHECK(spec.process->capabilities->inheritable.empty());
    CHECK(spec.mounts.size() == 7);
  }
}

TEST_CASE("the rootless example maps the caller to root and asks for no limits",
          "[specconv][L76]") {
  const auto spec = parse(example_config(true, 1000, 1001));
  CHECK(spec.linux_part.uid_mappings.at(0).host_id == 1000);
  CHECK(spec.linux_part.gid_mappings.at(0).host_id == 1001);
  CHECK_FALSE(spec.linux_part.resources);
  CHECK(spec.linux_part.find(hull::configs::NamespaceType::user) != nullptr);
  CHECK(spec.linux_part.find(hull::configs::NamespaceType::network) == nullptr);
}

TEST_CASE("the example is indented by tabs and has no final newline", "[specconv]") {
  const std::string text = example_config(false, 0, 0);
  CHECK(text.starts_with("{\n\t\"ociVersion\": \""));
  CHECK(text.ends_with("]\n\t}\n}"));
}

TEST_CASE("features tells what the parsers take", "[specconv]") {
  const Json features = Json::parse(features_json());
  CHECK(features["ociVersionMin"] == "1.0.0");
  CHECK(features["ociVersionMax"] == hull::kSpecVersion);
  CHECK(features["hooks"].size() == 6);
  CHECK(features["mountOptions"].size() == hull::specconv::kMountOptions.size());
  for (const auto& name : features["mountOptions"])
    CHECK(hull::specconv::find_mount_option(name.get<std::string>()) != nullptr);
  const Json& linux_part = features["linux"];
  CHECK(linux_part["namespaces"].size() == 8);
  CHECK(linux_part["capabilities"].size() >= 36);
  CHECK(linux_part["capabilities"][0] == "CAP_CHOWN");
  CHECK(linux_part["seccomp"]["enabled"] == true);
  CHECK(linux_part["seccomp"]["operators"].size() == 7);
  CHECK(linux_part["netDevices"]["enabled"] == true);
  CHECK(linux_part["intelRdt"] ==
        Json::parse(R"({"enabled":true,"schemata":true,"monitoring":true})"));
  CHECK(linux_part["memoryPolicy"]["modes"].size() == 7);
  CHECK(linux_part["memoryPolicy"]["flags"].size() == 3);
  CHECK(linux_part["mountExtensions"]["idmap"]["enabled"] == true);
  CHECK(features["annotations"]["io.hull.version"] == hull::kVersion);
  CHECK(features["potentiallyUnsafeConfigAnnotations"].size() == 5);
}

TEST_CASE("features lists no seccomp name that a configuration may not hold", "[specconv]") {
  const Json seccomp = Json::parse(features_json())["linux"]["seccomp"];
  for (const auto& arch : seccomp["archs"]) {
    CHECK_NOTHROW(parse(
        R"({"ociVersion":"1.0.0","root":{"path":"r"},"linux":{"seccomp":{"defaultAction":"SCMP_ACT_LOG","architectures":[)" +
        arch.dump() + "]}}}"));
  }
  for (const auto& flag : seccomp["supportedFlags"]) {
    CHECK_NOTHROW(parse(
        R"({"ociVersion":"1.0.0","root":{"path":"r"},"linux":{"seccomp":{"defaultAction":"SCMP_ACT_LOG","flags":[)" +
        flag.dump() + "]}}}"));
  }
}
