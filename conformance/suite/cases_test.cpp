// How cases are read: YAML, patches, variables, rules.
#include "conformance/suite/case.h"
#include "conformance/suite/patch.h"
#include "conformance/suite/report.h"
#include "conformance/suite/yaml.h"
#include "libruntime/system/catch.h"
#include "libruntime/system/error.h"
#include "libruntime/system/files.h"

namespace hull::conformance {
namespace {

Json patched(Json target, const std::string& patch) {
  apply_patch(target, parse_yaml(patch));
  return target;
}

Section section_of(const std::string& yaml) { return read_section("part", parse_yaml(yaml)); }

}  // namespace

TEST_CASE("plain scalars get their types, quoted ones stay text") {
  CHECK(parse_yaml("[1, -2, 18446744073709551615, 0o644, 0x1f, true, ~, '1', 007, 1.5, 1.0.2]") ==
        Json::parse(
            R"([1, -2, 18446744073709551615, 420, 31, true, null, "1", "007", "1.5", "1.0.2"])"));
}

TEST_CASE("a tag becomes an operator") {
  CHECK(parse_yaml("{a: !has [x, y], b: !re '^1', c: !host }") ==
        Json::parse(R"({"a": {"!has": ["x", "y"]}, "b": {"!re": "^1"}, "c": {"!host": null}})"));
}

TEST_CASE("a key that is there twice is an error") {
  CHECK_THROWS_WITH(parse_yaml("a: 1\na: 2"), testing::contains("twice"));
}

TEST_CASE("a patch merges objects, replaces lists, and null removes") {
  CHECK(patched({{"a", {{"b", 1}, {"c", 2}}}, {"l", {1, 2}}}, "{a: {b: ~, d: 3}, l: [9]}") ==
        Json::parse(R"({"a": {"c": 2, "d": 3}, "l": [9]})"));
}

TEST_CASE("a patch appends to lists and removes by value, destination, type or path") {
  const Json list =
      Json::parse(R"({"l": ["x", {"type": "pid"}, {"destination": "/d", "type": "t"}]})");
  CHECK(patched(list, "l-: [pid, /d]") == Json::parse(R"({"l": ["x"]})"));
  CHECK(patched(list, "{l+: [x], l-: [x, t]}") == Json::parse(R"({"l": [{"type": "pid"}, "x"]})"));
  CHECK(patched({}, "new+: [1]") == Json::parse(R"({"new": [1]})"));
}

TEST_CASE("a patch can put a null") {
  CHECK(patched({{"a", 1}}, "a: !null ") == Json::parse(R"({"a": null})"));
}

TEST_CASE("a variable alone becomes its value, within a text its text, unknown ones stay") {
  const auto value_of = [](const std::string& name) {
    return name == "n" ? Json(7) : Json(Json::value_t::discarded);
  };
  CHECK(substitute(Json::parse(R"({"k${n}": ["${n}", "a${n}b${n}", "${x}", "$n"]})"), value_of) ==
        Json::parse(R"({"k7": [7, "a7b7", "${x}", "$n"]})"));
}

TEST_CASE("a table of variables makes a case of each row") {
  const Section section = section_of(R"(
rules: [{rule: r, must: holds}]
cases:
- {id: "is-${x}", does: "shows ${x}", proves: r, config: {v: "${x}"}, with: [{x: 1}, {x: 2}]}
)");
  REQUIRE(section.cases.size() == 2);
  CHECK(section.cases[1].id == "part/is-2");
  CHECK(section.cases[1].body.at("config") == Json{{"v", 2}});
  CHECK(section.cases[1].rules == std::vector<std::string>{"part/r"});
}

TEST_CASE("a case with a key that nobody knows, or without a rule, is an error") {
  CHECK_THROWS_WITH(section_of("cases: [{id: a, does: b, proves: r, sess: {}}]"),
                    testing::contains("sess"));
  CHECK_THROWS_AS(section_of("cases: [{id: a, does: b}]"), Error);
}

TEST_CASE("a rule that is proven by a test names one that has the rule's tag") {
  for (const Section& section : read_sections(HULL_SOURCE_DIR "/conformance/cases"))
    for (const Rule& rule : section.rules)
      for (const std::string& test : rule.tests) {
        INFO(rule.name << ": " << test);
        const auto source = read_file_if_exists(HULL_SOURCE_DIR "/" + test + ".cpp");
        REQUIRE(source);
        CHECK(source->find("[" + rule.name + "]") != std::string::npos);
      }
}

TEST_CASE("rules without a case need a reason") {
  const Section section = section_of(R"(
rules:
- {rule: proven, must: a}
- {rule: forgotten, must: b}
- {rule: excused, must: c, untested: binds authors}
- {rule: A1, row: d}
- {rule: A2, row: e, tests: [room/a_test, room/b_test]}
cases: [{id: x, does: y, proves: proven, rows: A1}]
)");
  CHECK(uncovered({section}) == std::vector<std::string>{"part/forgotten"});
  const std::string table = coverage({section});
  CHECK_THAT(table, testing::contains("| part/proven | MUST | a | part/x |"));
  CHECK_THAT(table, testing::contains("| part/excused | MUST | c | none: binds authors |"));
  CHECK_THAT(table, testing::contains("| A1 | ROW | d | part/x |"));
  CHECK_THAT(table, testing::contains("| A2 | ROW | e | room/a_test, room/b_test |"));
}

}  // namespace hull::conformance
