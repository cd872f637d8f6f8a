#include "libruntime/network/addresses.h"

#include <netinet/in.h>

#include "libruntime/system/catch.h"

namespace hull::network {

TEST_CASE("Addresses are read whole or not at all", "[L57]") {
  const auto four = parse_ip_prefix("172.17.42.2/16");
  REQUIRE(four);
  CHECK(four->address.family == AF_INET);
  CHECK(four->address.bytes == std::string("\xac\x11\x2a\x02"));
  CHECK(four->length == 16);
  const auto six = parse_ip_prefix("2001:db8::7/64");
  REQUIRE(six);
  CHECK(six->address.family == AF_INET6);
  CHECK(six->address.bytes.size() == 16);
  CHECK(six->address.bytes[15] == 7);
  CHECK(parse_ip_prefix("10.0.0.1/0"));
  for (const char* wrong : {"", "/", "10.0.0.1", "10.0.0.1/", "10.0.0.1/33", "10.0.0.1/-1",
                            "10.0.0/8", "10.0.0.1/8 ", "::1/129", "localhost/8", "10.0.0.1/8/8"}) {
    INFO(wrong);
    CHECK_FALSE(parse_ip_prefix(wrong));
  }
  CHECK_FALSE(parse_ip("localhost"));
  CHECK_FALSE(parse_ip("10.1"));
}

TEST_CASE("The broadcast address is the last one of its network", "[L57]") {
  const auto of = [](const char* text) { return broadcast_of(*parse_ip_prefix(text)); };
  CHECK(of("10.9.8.7/24") == std::string("\x0a\x09\x08\xff"));
  CHECK(of("10.9.8.7/20") == std::string("\x0a\x09\x0f\xff"));
  CHECK(of("10.9.8.7/30") == std::string("\x0a\x09\x08\x07"));
  CHECK_FALSE(of("10.9.8.7/31"));
  CHECK_FALSE(of("2001:db8::7/64"));
}

TEST_CASE("A hardware address is six bytes", "[L57]") {
  CHECK(parse_mac("02:42:ac:11:00:02") == std::string("\x02\x42\xac\x11\x00\x02", 6));
  for (const char* wrong : {"", "02:42:ac:11:00", "02:42:ac:11:00:02:03", "2:42:ac:11:00:02",
                            "0g:42:ac:11:00:02", "02-42-ac-11-00-02"}) {
    INFO(wrong);
    CHECK_FALSE(parse_mac(wrong));
  }
}

}  // namespace hull::network
