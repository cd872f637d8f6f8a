// What a run is reported as: TAP, JUnit, the README's table, and the page in a browser.
#include "conformance/suite/report.h"

#include <unistd.h>

#include "conformance/container/command.h"
#include "conformance/container/host.h"
#include "conformance/suite/yaml.h"
#include "libruntime/system/catch.h"

namespace hull::conformance {
namespace {

// Two sections, two runtimes; "b" fails two cases, one of them known.
Report sample() {
  Report report;
  report.sections = {read_section("one", parse_yaml(R"(
section: "Part | one"
rules: [{rule: r, must: "a <b> & 'c'"}, {rule: s, should: d}]
cases:
- {id: good, does: works, proves: r, config: {hostname: evidence-config}}
- {id: bad, does: "fails </script><script>document.title='broken out'</script>", proves: s}
)")),
                     read_section("two", parse_yaml(R"(
section: Part two
rules: [{rule: A1, row: e}]
cases:
- {id: noted, does: fails and is noted, rows: A1, known: {b: the reason it fails}, note: mind this}
- {id: later, does: is pending, rows: A1, pending: soon}
)"))};
  for (const Section& section : report.sections)
    report.cases.insert(report.cases.end(), section.cases.begin(), section.cases.end());
  report.runtimes = {{"a", "/a", "a 1.0"}, {"b", "/b", "b 2.0"}};
  const Json seen = {{{"did", "a run"}, {"exit", 0}, {"out", "text"}, {"err", ""}},
                     {{"of", "status"}, {"wanted", "up"}, {"seen", "down & out"}, {"ok", false}}};
  report.results = {{{Status::kPassed, "", seen, 0.1},
                     {Status::kPassed, "", seen, 0.1},
                     {Status::kSkipped, "needs x", seen, 0.1},
                     {Status::kPending, "soon", seen, 0.1}},
                    {{Status::kPassed, "", seen, 0.1},
                     {Status::kFailed, "status: wanted \"up\"", seen, 0.1},
                     {Status::kFailed, "why", seen, 0.1},
                     {Status::kPending, "soon", seen, 0.1}}};
  return report;
}

// The page's DOM after its own scripts and then `script` ran in it, as a person's clicks would.
std::string dom_after(const Report& report, const std::string& script) {
  const std::string path = "/tmp/hull-page-" + std::to_string(getpid()) + ".html";
  std::string page = html(report);
  page.insert(page.rfind("</html>"), "<script>" + script + "</script>");
  write_file(path, page);
  CommandOptions options;
  options.timeout = std::chrono::milliseconds(60'000);
  const Outcome shown = run_command({"chromium", "--headless", "--no-sandbox", "--disable-gpu",
                                     "--disable-dev-shm-usage", "--user-data-dir=" + path + ".d",
                                     "--virtual-time-budget=5000", "--dump-dom", "file://" + path},
                                    options);
  remove_tree(path + ".d");
  unlink(path.c_str());
  INFO(shown.err);
  REQUIRE(shown.exit_code == 0);
  return shown.out;
}

size_t occurrences(const std::string& text, const std::string& part) {
  size_t count = 0;
  for (size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++count;
  return count;
}

}  // namespace

TEST_CASE("results are counted, the known failures apart") {
  const Counts counts = count(sample(), 1);
  CHECK(counts.passed == 1);
  CHECK(counts.failed == 2);
  CHECK(counts.known == 1);
  CHECK(counts.pending == 1);
  CHECK(count(sample(), 0).skipped == 1);
}

TEST_CASE("a note holds for a peer, or for one version of it") {
  Case one;
  one.known = {{"b", "any"}, {"b 1.2", "old"}, {"b 1.28", "new"}};
  const auto note = [&](const std::string& version) {
    return known_note(one, {"x", "/x", version});
  };
  CHECK(note("b 2.0") == "any");
  CHECK(note("b 1.2.3+ds1") == "old");
  CHECK(note("b 1.2+ds1") == "old");
  CHECK(note("b 1.28") == "new");
  CHECK(note("b 1.20") == "any");
  CHECK(note("bc 1.2").empty());
}

TEST_CASE("TAP has a plan, directives and one line a case") {
  const std::string text = tap(sample(), 0);
  CHECK_THAT(text, testing::contains("TAP version 13\n1..4\nok 1 - one/good: works\n"));
  CHECK_THAT(text, testing::contains("ok 3 - two/noted: fails and is noted # SKIP needs x\n"));
  CHECK_THAT(text, testing::contains("not ok 4 - two/later: is pending # TODO soon\n"));
  CHECK_THAT(tap(sample(), 1), testing::contains("not ok 2 - one/bad"));
}

TEST_CASE("JUnit is escaped and counts by section and runtime") {
  const std::string text = junit(sample());
  CHECK_THAT(text, testing::contains(R"(<testsuite name="b.one" tests="2" failures="1")"));
  CHECK_THAT(text, testing::contains("&lt;/script&gt;"));
  CHECK(text.find("</script>") == std::string::npos);
  CHECK(occurrences(text, "<testcase ") == 8);
}

TEST_CASE("the table counts what was run") {
  CHECK(summary(sample()) ==
        "| section | a 1.0 | b 2.0 |\n|---|---|---|\n"
        "| Part \\| one | 2 of 2 | 1 of 2 |\n| Part two | 0 of 0 | 0 of 1 |\n"
        "| **all** | 2 of 2 | 1 of 3 |\n");
}

TEST_CASE("the page shows, filters and opens cases in a browser") {
  if (run_command({"chromium", "--version"}).exit_code != 0) HULL_SKIP("chromium is not installed");
  const std::string all = dom_after(sample(), "");
  CHECK(occurrences(all, "<tr class=\"case\"") == 4);
  CHECK(occurrences(all, "<tr data-section=") == 2);
  CHECK_THAT(all, testing::contains("4 of 4"));
  CHECK_THAT(all, testing::contains("<title>OCI runtime conformance</title>"));

  const std::string failed = dom_after(sample(), R"(
    document.getElementById("status").value = "failed";
    document.getElementById("status").dispatchEvent(new Event("change"));
    document.querySelector("tr.case").click();)");
  CHECK_THAT(failed, testing::contains("1 of 4"));
  CHECK_THAT(failed, testing::contains("data-id=\"one/bad\""));
  CHECK(failed.find("data-id=\"one/good\"") == std::string::npos);
  CHECK_THAT(failed, testing::contains("seen     down &amp; out"));  // the evidence

  const std::string text = dom_after(sample(), R"(
    document.getElementById("text").value = "NOTED";
    document.getElementById("text").dispatchEvent(new Event("input"));
    document.querySelector("tr.case").click();)");
  CHECK_THAT(text, testing::contains("1 of 4"));
  CHECK_THAT(text, testing::contains("Note: mind this"));
  CHECK_THAT(text, testing::contains("Checked: the reason it fails"));

  const std::string section = dom_after(sample(), R"(
    document.querySelector('tr[data-section="two"]').click();
    document.getElementById("runtime").value = "0";
    document.getElementById("status").value = "skipped";
    document.getElementById("status").dispatchEvent(new Event("change"));)");
  CHECK_THAT(section, testing::contains("1 of 4"));
  CHECK_THAT(section, testing::contains("data-id=\"two/noted\""));
}

}  // namespace hull::conformance
