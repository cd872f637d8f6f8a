#include "libruntime/checkpoint/wire.h"

#include "libruntime/checkpoint/log_excerpt.h"
#include "libruntime/checkpoint/rpc.h"
#include "libruntime/system/catch.h"
#include "libruntime/system/error.h"

namespace hull::checkpoint {
namespace {

using namespace std::string_literals;

// Examples of protobuf.dev/programming-guides/encoding, and numbers at the edges.
TEST_CASE("fields are written as Protocol Buffers have them", "[L71]") {
  const auto number = [](int64_t value) {
    WireWriter out;
    out.number(1, value);
    return out.text();
  };
  CHECK(number(150) == "\x08\x96\x01");
  CHECK(number(0) == "\x08\x00"s);
  CHECK(number(-1) == "\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01");
  WireWriter text;
  text.bytes(2, "testing");
  CHECK(text.text() == "\x12\x07testing");
  WireWriter far;
  far.number(63, 1);
  CHECK(far.text() == "\xf8\x03\x01");
}

TEST_CASE("what is written is read again") {
  const std::string long_text(300, 'x');
  WireWriter out;
  out.number(1, INT64_MIN);
  out.bytes(5000, long_text);
  out.bytes(3, "");
  WireReader reader(out.text());
  WireField field;
  REQUIRE(reader.next(field));
  CHECK(field.value == INT64_MIN);
  REQUIRE(reader.next(field));
  CHECK(field.number == 5000);
  CHECK(field.bytes == long_text);
  REQUIRE(reader.next(field));
  CHECK(field.bytes.empty());
  CHECK_FALSE(reader.next(field));
}

TEST_CASE("bytes that are no message are refused") {
  const auto read_all = [](const std::string& bytes) {
    WireReader reader(bytes);
    for (WireField field; reader.next(field);) continue;
  };
  CHECK_THROWS_AS(read_all("\x08"s), Error);        // no value
  CHECK_THROWS_AS(read_all("\x12\x05xx"s), Error);  // cut off
  CHECK_THROWS_AS(read_all("\x0b"s), Error);        // a group
  CHECK_THROWS_AS(read_all("\x08" + std::string(11, '\xff')), Error);
  CHECK_THROWS_AS(read_all("\x12\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"s), Error);
  CHECK_NOTHROW(
      read_all("\x0d"
               "1234"
               "\x09"
               "12345678"s));  // fixed numbers are passed over
}

TEST_CASE("requests say what criu's rpc.proto asks for") {
  CHECK(version_request() == "\x08\x0a\x20\x01");
  CHECK(notify_answer(true) == "\x08\x06\x18\x01");
  CHECK(notify_answer(false) == "\x08\x06\x18\x00"s);
  CHECK(feature_request({true, false}) == "\x08\x09\x20\x01\x2a\x04\x08\x01\x10\x00"s);
  RpcOptions options;
  options.ext_mount("/m", "k");
  options.inherit_fd("pipe:[7]", 4);
  CHECK(request(RequestType::dump, options) ==
        "\x08\x01\x12\x19"
        "\xba\x01\x07\x0a\x02/m\x12\x01k"
        "\xda\x01\x0c\x0a\x08pipe:[7]\x10\x04");
}

TEST_CASE("responses are understood, unknown fields passed over") {
  const Response restored = parse_response("\x08\x02\x10\x01\x22\x02\x08\x2a\x58\x07"s);
  CHECK(restored.type == RequestType::restore);
  CHECK(restored.success);
  CHECK(restored.restored_pid == 42);
  const Response notified = parse_response("\x08\x06\x10\x01\x2a\x0a\x0a\x06script\x10\x2a"s);
  REQUIRE(notified.notification);
  CHECK(notified.notification->script == "script");
  CHECK(notified.notification->pid == 42);
  const Response failed = parse_response("\x08\x01\x10\x00\x38\x10\x4a\x03why"s);
  CHECK_FALSE(failed.success);
  CHECK(failed.code == 16);
  CHECK(failed.message == "why");
}

TEST_CASE("a version is one number; a development version counts as the next release") {
  const auto version = [](const std::string& fields) {
    WireWriter out;
    out.number(1, 10);
    out.bytes(10, fields);
    return parse_response(out.text()).version;
  };
  CHECK(version("\x08\x04\x10\x01\x20\x01") == 40101);
  CHECK(version("\x08\x03\x10\x11") == 31700);
  CHECK(version("\x08\x03\x10\x0e\x1a\x05v3.14") == 31500);
}

TEST_CASE("an error quotes the end of criu's log") {
  CHECK(error_lines("(0.1) fine\n(0.2) Error (a.c:1): one\n\nError (b.c:2): two\n") ==
        "(0.2) Error (a.c:1): one; Error (b.c:2): two");
  CHECK(error_lines("").empty());
  std::string many;
  for (int i = 0; i < 20; ++i) many += "Error (x.c:1): n" + std::to_string(i) + "\n";
  CHECK(error_lines(many).starts_with("Error (x.c:1): n14"));
  Response response;
  response.code = 16;
  response.message = "first words\n";
  const std::string text = failure(RequestType::dump, response, "/nonexistent/dump.log").what();
  CHECK(text == "criu failed: type DUMP errno 16: first words; criu wrote no log");
}

}  // namespace
}  // namespace hull::checkpoint
