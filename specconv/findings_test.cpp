#include "specconv/findings.h"

#include "libruntime/system/catch.h"

namespace hull::specconv {

TEST_CASE("a value belongs to the section of the specification that defines it", "[findings]") {
  CHECK(section_of("/mounts/3/source") == "config.md#mounts");
  CHECK(section_of("/process/args/0") == "config.md#process");
  CHECK(section_of("/process/rlimits/0/type") == "config.md#posix-process");
  CHECK(section_of("/linux/resources/unified/pids.max") == "config-linux.md#unified");
  CHECK(section_of("/linux/resources") == "config-linux.md#control-groups");
  CHECK(section_of("/linux/cgroupsPathology") == "config-linux.md");
  CHECK(section_of("") == "config.md");
}

TEST_CASE("a finding is listed once, and only an error fails", "[findings]") {
  Findings findings;
  findings.warning("/a", "x");
  findings.warning("/a", "x");
  CHECK(findings.all().size() == 1);
  CHECK_FALSE(findings.failed());
  findings.attempt("/b", [] { throw Error("wrong", "open", 2).field("/c/0"); });
  REQUIRE(findings.all().size() == 2);
  CHECK(findings.all()[1].pointer == "/c/0");
  CHECK(findings.all()[1].text == "wrong: no such file or directory");
  CHECK(findings.failed());
  CHECK(findings.has("/c"));
  CHECK_FALSE(findings.has("/b"));
}

TEST_CASE("what is missing is not told again as empty", "[findings]") {
  const Findings findings = diagnose(R"({"ociVersion":"1.0.0","root":{}})", {});
  size_t about_root = 0;
  for (const Finding& one : findings.all())
    if (one.pointer.starts_with("/root")) ++about_root;
  CHECK(about_root == 1);
}

}  // namespace hull::specconv
