// What an expectation accepts.
#include "conformance/suite/match.h"

#include "conformance/suite/yaml.h"
#include "libruntime/system/catch.h"

namespace hull::conformance {
namespace {

bool matches(const std::string& wanted, const std::string& seen, const std::string& host = "~") {
  return differences(parse_yaml(wanted), Json::parse(seen), parse_yaml(host)).empty();
}

}  // namespace

TEST_CASE("an object may hold more than is expected, a list may not") {
  CHECK(matches("{a: 1}", R"({"a": 1, "b": 2})"));
  CHECK_FALSE(matches("{a: 1, b: 2}", R"({"a": 1})"));
  CHECK_FALSE(matches("{a: [1]}", R"({"a": [1, 2]})"));
  CHECK_FALSE(matches("{a: 1}", "[1]"));
}

TEST_CASE("null expects that nothing is there") {
  CHECK(matches("{a: ~}", R"({"b": 1})"));
  CHECK_FALSE(matches("{a: ~}", R"({"a": 1})"));
}

TEST_CASE("the operators accept what they say and nothing else") {
  CHECK(matches("!has [a, b]", R"(["b", "a", "c"])"));
  CHECK_FALSE(matches("!has [a, d]", R"(["a", "b"])"));
  CHECK(matches("!has ab", R"("xaby")"));
  CHECK(matches("!lacks [d]", R"(["a"])"));
  CHECK_FALSE(matches("!lacks [d, a]", R"(["a"])"));
  CHECK_FALSE(matches("!lacks a", "null"));
  CHECK(matches("!set [a, b]", R"(["b", "a"])"));
  CHECK_FALSE(matches("!set [a, b]", R"(["b", "a", "a"])"));
  CHECK(matches("!re '^a.c'", R"("abcd")"));
  CHECK_FALSE(matches("!re '^a'", R"("ba")"));
  CHECK(matches("!not 0", "1"));
  CHECK_FALSE(matches("!not 0", "0"));
  CHECK(matches("{a: !any }", R"({"a": 0})"));
  CHECK_FALSE(matches("{a: !any }", "{}"));
  CHECK(matches("!ge 5", R"("5")"));
  CHECK_FALSE(matches("!ge 5", "4"));
  CHECK_FALSE(matches("!le 5", R"("max")"));
  CHECK(matches("!all [!ge 1, !le 3]", "2"));
  CHECK_FALSE(matches("!all [!ge 1, !le 3]", "4"));
  CHECK_THROWS(matches("!nosuch 1", "1"));
}

TEST_CASE("values are compared with the host's") {
  CHECK(matches("{a: {b: !host }}", R"({"a": {"b": 3}})", "{a: {b: 3}}"));
  CHECK_FALSE(matches("{a: {b: !host }}", R"({"a": {"b": 4}})", "{a: {b: 3}}"));
  CHECK(matches("{a: !differs }", R"({"a": 4})", "{a: 3}"));
  CHECK_FALSE(matches("{a: !differs }", R"({"a": 3})", "{a: 3}"));
  CHECK_FALSE(matches("{a: !differs }", "{}", "{a: 3}"));
  CHECK(asks_for_host(parse_yaml("{a: [{b: !differs }]}")));
  CHECK_FALSE(asks_for_host(parse_yaml("{a: !has [host]}")));
}

TEST_CASE("a difference tells where it is") {
  const auto found =
      differences(parse_yaml("{a: {b: 1, c: 2}}"), Json::parse(R"({"a": {"b": 1}})"));
  REQUIRE(found.size() == 1);
  CHECK(found[0].at == "a.c");
  CHECK(found[0].seen.is_null());
}

}  // namespace hull::conformance
