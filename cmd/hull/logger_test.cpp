#include "cmd/hull/logger.h"

#include <cstdlib>

#include "cmd/hull/json_text.h"
#include "libruntime/system/catch.h"

namespace hull::cmd {
namespace {

constexpr char kTime[] = "2026-11-22T23:19:56Z";

std::string text_line(std::string_view message) {
  return log_line(LogFormat::text, log::Level::error, message, kTime);
}

std::string json_line(std::string_view message) {
  return log_line(LogFormat::json, log::Level::warning, message, kTime);
}

}  // namespace

TEST_CASE("a line of text is as logrus writes it") {
  CHECK(text_line("container does not exist") ==
        "time=\"2026-11-22T23:19:56Z\" level=error msg=\"container does not exist\"\n");
  CHECK(text_line("plain/word-1.2_@^+") ==
        "time=\"2026-11-22T23:19:56Z\" level=error msg=plain/word-1.2_@^+\n");
}

TEST_CASE("a line of JSON has level, msg and time in this order") {
  CHECK(json_line("exec: \"x\": not found in $PATH") ==
        "{\"level\":\"warning\",\"msg\":\"exec: \\\"x\\\": not found in $PATH\","
        "\"time\":\"2026-11-22T23:19:56Z\"}\n");
}

TEST_CASE("a message can't forge a second line") {
  CHECK(go_quoted("a\nb\r\t\x1b[31m\x7f\\\"") == R"("a\nb\r\t\x1b[31m\x7f\\\"")");
  CHECK(json_quoted(std::string_view("a\nb\0c", 5)) == R"("a\nb\u0000c")");
}

TEST_CASE("what is not UTF-8 is escaped, what is stays") {
  CHECK(go_quoted("\xff"
                  "a\xc3\xa4") == "\"\\xffa\xc3\xa4\"");
  CHECK(json_quoted("\xff"
                    "a\xc3\xa4") == "\"\\ufffda\xc3\xa4\"");
  CHECK(json_quoted("\xc0\x80\xed\xa0\x80") == R"("\ufffd\ufffd\ufffd\ufffd\ufffd")");
  CHECK(json_quoted("cut\xe2\x82") == R"("cut\ufffd\ufffd")");
}

TEST_CASE("characters that a terminal or a browser would act on are escaped") {
  CHECK(go_quoted("\xe2\x80\xae") == R"("\u202e")");
  CHECK(go_quoted("\xf3\xa0\x80\x81") == R"("\U000e0001")");
  CHECK(json_quoted("<a>&\xe2\x80\xa8") == R"("\u003ca\u003e\u0026\u2028")");
}

TEST_CASE("JSON is compacted without touching strings") {
  CHECK(json_compact("{\n  \"a b\": \" \\\" \",\n  \"c\": [ 1, 2 ]\n}") ==
        "{\"a b\":\" \\\" \",\"c\":[1,2]}");
}

TEST_CASE("the time is RFC 3339 in the local time zone") {
  const auto in_zone = [](const char* zone) {
    setenv("TZ", zone, 1);
    tzset();
    return rfc3339(1'000'000'000);
  };
  CHECK(in_zone("UTC0") == "2001-09-09T01:46:40Z");
  CHECK(in_zone("IST-05:30") == "2001-09-09T07:16:40+05:30");
  CHECK(in_zone("BRT3") == "2001-09-08T22:46:40-03:00");
  unsetenv("TZ");
  tzset();
}

TEST_CASE("log levels have the names of runc and crun") {
  CHECK(parse_log_level("warning") == log::Level::warning);
  CHECK(parse_log_level("error") == log::Level::error);
  CHECK(parse_log_level("debug") == log::Level::debug);
  CHECK_FALSE(parse_log_level("loud"));
}

}  // namespace hull::cmd
