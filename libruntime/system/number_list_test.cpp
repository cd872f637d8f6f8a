#include "libruntime/system/number_list.h"

#include "libruntime/system/catch.h"

namespace hull {

using Mask = std::vector<uint64_t>;

TEST_CASE("A list of numbers becomes a bit mask", "[system]") {
  CHECK(parse_number_list("0") == Mask{1});
  CHECK(parse_number_list("0-3,7") == Mask{0x8f});
  CHECK(parse_number_list(" 1 , ,3-4,") == Mask{0x1a});
  CHECK(parse_number_list("63-64") == Mask{uint64_t{1} << 63, 1});
  CHECK(parse_number_list("") == Mask{});
  CHECK(parse_number_list(" , ") == Mask{});
}

TEST_CASE("A list may go beyond 1024, where the libc's cpu_set_t ends", "[system]") {
  const auto mask = parse_number_list("4095");
  REQUIRE(mask);
  REQUIRE(mask->size() == 64);
  CHECK(mask->back() == uint64_t{1} << 63);
  CHECK(parse_number_list("0-65535")->size() == 1024);
}

TEST_CASE("What is no list of numbers is refused", "[system]") {
  for (const char* bad : {"a", "1-", "-1", "3-1", "1-2-3", "1 2", "+1", "0x1", "65536", "0-65536",
                          "99999999999999999999"}) {
    INFO(bad);
    CHECK_FALSE(parse_number_list(bad));
  }
}

}  // namespace hull
