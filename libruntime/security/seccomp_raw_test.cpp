#include "libruntime/security/seccomp_raw.h"

#include <linux/seccomp.h>

#include <string>

#include "libruntime/system/catch.h"
#include "libruntime/system/error.h"

namespace hull::security {

TEST_CASE("A raw program is base64 of instructions") {
  // ret ALLOW; and twice that, which needs padding.
  const std::vector<sock_filter> one = raw_program("BgAAAAAA/38=");
  REQUIRE(one.size() == 1);
  CHECK(one[0].code == (BPF_RET | BPF_K));
  CHECK(one[0].k == SECCOMP_RET_ALLOW);
  CHECK(raw_program("BgAAAAAA/38GAAAAAAD/fw==").size() == 2);
}

TEST_CASE("What is no base64 or no program is refused") {
  using testing::contains;
  CHECK_THROWS_WITH(raw_program("BgAAAAAA/38"), contains("characters are missing"));
  CHECK_THROWS_WITH(raw_program("BgAA AAA/38="), contains("no base64"));
  CHECK_THROWS_WITH(raw_program("=BgAAAAA/38="), contains("no base64"));
  CHECK_THROWS_WITH(raw_program(""), contains("0 bytes"));
  CHECK_THROWS_WITH(raw_program("BgAAAAAA/w=="), contains("7 bytes"));
  CHECK_THROWS_WITH(raw_program(std::string(100000, 'A')), contains("4096"));
  CHECK_THROWS_WITH(raw_program("BgAAAAAAwH8="), contains("notify"));  // ret USER_NOTIF
}

}  // namespace hull::security
