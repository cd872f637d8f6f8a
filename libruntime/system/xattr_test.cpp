#include "libruntime/system/xattr.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>

#include "libruntime/system/catch.h"
#include "libruntime/system/error.h"
#include "libruntime/system/fd.h"
#include "libruntime/system/files.h"

namespace hull {

TEST_CASE("Attributes are set, listed and read, whatever bytes they hold", "[system][L80]") {
  // "trusted" is taken by every file system that has attributes; tmpfs has no "user" before 6.6.
  if (geteuid() != 0) HULL_SKIP("needs root");
  for (const char* where : {"/tmp", "/dev/shm"}) {
    INFO(where);
    std::string path = std::string(where) + "/hull-xattr-XXXXXX";
    const Fd fd(mkstemp(path.data()));
    REQUIRE(fd);
    unlink(path.c_str());
    if (!xattr::enabled(fd.get(), "trusted")) continue;
    CHECK(xattr::list(fd.get()).empty());
    CHECK_FALSE(xattr::get(fd.get(), "trusted.one"));
    xattr::set(fd.get(), "trusted.one", std::string("a\0b", 3));
    xattr::set(fd.get(), "trusted.two", "");
    xattr::set(fd.get(), "trusted.one", std::string("a\0c", 3));
    auto names = xattr::list(fd.get());
    CHECK(names.size() == 2);
    CHECK(xattr::get(fd.get(), "trusted.one") == std::string("a\0c", 3));
    CHECK(xattr::get(fd.get(), "trusted.two") == "");
  }
}

TEST_CASE("Where there are no attributes none are listed, and setting one says so",
          "[system][L80]") {
  const Fd fd = open_or_throw(AT_FDCWD, "/proc/self/status", O_RDONLY);
  CHECK(xattr::list(fd.get()).empty());
  CHECK_FALSE(xattr::enabled(fd.get(), "user"));
  try {
    xattr::set(fd.get(), "user.x", "y");
    FAIL("set");
  } catch (const Error& e) {
    CHECK(e.code() == EOPNOTSUPP);
  }
  CHECK_THROWS_AS(xattr::list(-1), Error);
}

}  // namespace hull
