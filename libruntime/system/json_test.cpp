#include "libruntime/system/json.h"

#include "libruntime/system/catch.h"
#include "libruntime/system/error.h"

namespace {

using namespace hull;

std::string refusal(std::string text) {
  try {
    const JsonText json(std::move(text));
  } catch (const Error& e) {
    return e.message();
  }
  return "";
}

}  // namespace

TEST_CASE("of members with one name the last counts, and null is no member", "[system]") {
  const JsonText json(R"({"a":1,"b":null,"a":2,"n\u0000ul":3})");
  REQUIRE(find_member(json.root(), "a") != nullptr);
  CHECK(find_member(json.root(), "a")->GetInt() == 2);
  CHECK(find_member(json.root(), "b") == nullptr);
  CHECK(find_member(json.root(), "c") == nullptr);
  CHECK(find_member(json.root(), std::string_view("n\0ul", 4)) != nullptr);
  CHECK(find_member(json.root(), "n") == nullptr);
}

TEST_CASE("a text that is no JSON is refused with its place", "[system]") {
  CHECK(refusal("{\n \"a\": 1,\n}").starts_with("parse error at line 3, column 1: "));
  CHECK(refusal("[1] x").starts_with("parse error at line 1, column 5: "));
  CHECK(refusal("").starts_with("parse error at line 1, column 1: "));
  CHECK(refusal("[\"\xff\"]").starts_with("parse error at line 1"));
  CHECK(refusal(std::string("[1]\0[2]", 7)) == "parse error at line 1, column 4: A NUL byte.");
  CHECK(refusal("[\"tab\there\"]") != "");
  CHECK(refusal("[01]") != "");
  CHECK(refusal("[NaN]") != "");
}

// Seen by AddressSanitizer only.
TEST_CASE("a text that ends within a UTF-8 sequence is not read past its end", "[system]") {
  for (const char* cut : {"[\"\xc3", "[\"\xe5", "[\"\xe5\x80", "[\"\xf0", "[\"\xf0\x90\x80"})
    for (const size_t before : {0U, 15U, 16U, 31U, 60U})  // short ones lie in the string itself
      CHECK(refusal(std::string(before, ' ') + cut) != "");
}

TEST_CASE("nesting costs no stack", "[system]") {
  const std::string deep(size_t{1} << 20, '[');
  CHECK(refusal(deep) != "");
  CHECK(refusal(deep + std::string(deep.size(), ']')) == "");
}
