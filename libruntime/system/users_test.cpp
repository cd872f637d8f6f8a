#include "libruntime/system/users.h"

#include "libruntime/system/catch.h"
#include "libruntime/system/error.h"

namespace {

using hull::find_user;

constexpr char kPasswd[] =
    "root:x:0:0:root:/root:/bin/sh\n"
    "broken line\n"
    "daemon:x:1:2::/:\n"
    "1000:x:0:0:a number as a name:/:/bin/sh\n"
    "web:x:33:33:www:/var/www:/bin/sh\n"
    "huge:x:4294967295:0::/:\n";
constexpr char kGroup[] =
    "root:x:0:\n"
    "disk:x:6:daemon,web\n"
    "web:x:33:web\n"
    "audio:x:29:web,root\n";

std::string failure(const char* wanted) {
  try {
    find_user(kPasswd, kGroup, wanted);
    return "none";
  } catch (const hull::Error& e) {
    return e.message();
  }
}

}  // namespace

TEST_CASE("a user is found by name or number, with its supplementary groups", "[users][S24][L78]") {
  const auto web = find_user(kPasswd, kGroup, "web");
  CHECK(web.uid == 33);
  CHECK(web.gid == 33);
  CHECK(web.groups == std::vector<gid_t>{6, 29});
  const auto by_number = find_user(kPasswd, kGroup, "1");
  CHECK(by_number.uid == 1);
  CHECK(by_number.gid == 2);
  CHECK(by_number.groups == std::vector<gid_t>{6});
  CHECK(find_user(kPasswd, kGroup, "").uid == 0);
}

TEST_CASE("a group that is named is the only one", "[users]") {
  const auto by_name = find_user(kPasswd, kGroup, "web:audio");
  CHECK(by_name.uid == 33);
  CHECK(by_name.gid == 29);
  CHECK(by_name.groups.empty());
  CHECK(find_user(kPasswd, kGroup, "web:77").gid == 77);
  CHECK(find_user(kPasswd, kGroup, "77:web").uid == 77);
  CHECK(find_user(kPasswd, kGroup, "77:web").gid == 33);
}

TEST_CASE("a number is a user ID also where a user has it as a name", "[users]") {
  const auto user = find_user(kPasswd, kGroup, "1000");
  CHECK(user.uid == 1000);
  CHECK(user.gid == 0);
  CHECK(user.groups.empty());
}

TEST_CASE("unknown names and numbers out of range are refused", "[users]") {
  CHECK(failure("nobody") == "unable to find user nobody: no matching entries in passwd file");
  CHECK(failure("web:none") == "unable to find group none: no matching entries in group file");
  CHECK(failure("2147483648") == "uids and gids must be in range 0-2147483647");
  CHECK(failure("1:99999999999") == "uids and gids must be in range 0-2147483647");
  CHECK(failure("huge") == "uids and gids must be in range 0-2147483647");
  CHECK(failure("web") == "none");
}

TEST_CASE("additional groups are found by name or number, each once", "[users][L78]") {
  CHECK(hull::find_groups(kGroup, {"audio", "7", "web", "29", "audio"}) ==
        std::vector<gid_t>{29, 7, 33});
  CHECK(hull::find_groups(kGroup, {}).empty());
  CHECK_THROWS_AS(hull::find_groups(kGroup, {"audio", "none"}), hull::Error);
  CHECK_THROWS_AS(hull::find_groups(kGroup, {"2147483648"}), hull::Error);
}
