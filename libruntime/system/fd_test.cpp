#include "libruntime/system/fd.h"

#include <fcntl.h>

#include <vector>

#include "libruntime/system/catch.h"

using namespace hull;

namespace {

bool is_open(int fd) { return fcntl(fd, F_GETFD) >= 0; }
Fd open_null() { return Fd(open("/dev/null", O_RDONLY | O_CLOEXEC)); }

}  // namespace

TEST_CASE("A descriptor is closed once, by its last owner") {
  Fd first = open_null();
  const int number = first.get();
  Fd second = std::move(first);
  CHECK_FALSE(first.valid());
  CHECK(is_open(number));
  second.reset();
  CHECK_FALSE(is_open(number));
}

TEST_CASE("A batch closes what was given up meanwhile at its end, and nothing else") {
  Fd kept;
  std::vector<int> given_up;
  {
    const FdCloseBatch batch;
    for (int i = 0; i < 20; ++i) {
      Fd one = open_null();
      if (i == 7)
        kept = std::move(one);
      else
        given_up.push_back(one.get());
    }
    for (const int fd : given_up) CHECK(is_open(fd));
  }
  for (const int fd : given_up) CHECK_FALSE(is_open(fd));
  CHECK(is_open(kept.get()));
}

TEST_CASE("No more than a few descriptors wait for the end of a batch") {
  const FdCloseBatch batch;
  int highest = 0;
  for (int i = 0; i < 500; ++i) highest = std::max(highest, open_null().get());
  CHECK(highest < 100);
}
