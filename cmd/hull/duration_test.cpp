#include "cmd/hull/duration.h"

#include "libruntime/system/catch.h"

namespace hull::cmd {
namespace {

using namespace std::chrono_literals;

TEST_CASE("durations are those of Go") {
  CHECK(parse_duration("5s") == 5s);
  CHECK(parse_duration("100ms") == 100ms);
  CHECK(parse_duration("1m30s") == 90s);
  CHECK(parse_duration("1.5h") == 90min);
  CHECK(parse_duration(".5s") == 500ms);
  CHECK(parse_duration("2us") == 2us);
  CHECK(parse_duration("2\u00b5s") == 2us);
  CHECK(parse_duration("-1s") == -1s);
  CHECK(parse_duration("0") == 0s);
}

TEST_CASE("what is no duration of Go is none") {
  for (const char* text : {"", "5", "s", "5 s", "5x", "1e3s", "5s3", ".s", "-", "300000000h"}) {
    INFO(text);
    CHECK_FALSE(parse_duration(text));
  }
}

}  // namespace
}  // namespace hull::cmd
