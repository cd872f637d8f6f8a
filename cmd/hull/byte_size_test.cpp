#include "cmd/hull/byte_size.h"

#include "libruntime/system/catch.h"

using hull::cmd::parse_byte_size;

TEST_CASE("A size is a number with an optional binary unit [B40]") {
  CHECK(parse_byte_size("0") == 0);
  CHECK(parse_byte_size("1024") == 1024);
  CHECK(parse_byte_size("512m") == 512 << 20);
  CHECK(parse_byte_size("1.5G") == int64_t{3} << 29);
  CHECK(parse_byte_size("64 KiB") == 64 << 10);
  CHECK(parse_byte_size("2tb") == int64_t{2} << 40);
  CHECK(parse_byte_size("7b") == 7);
  CHECK(parse_byte_size("-1") == -1);
  for (const char* bad : {"", "m", "-2", "1x", "1kk", "1..2", "99999999999p", "1mi"})
    CHECK_FALSE(parse_byte_size(bad).has_value());
}
