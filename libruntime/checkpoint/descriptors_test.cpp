#include "libruntime/checkpoint/descriptors.h"

#include <fcntl.h>
#include <unistd.h>

#include <cstdlib>

#include "libruntime/system/catch.h"
#include "libruntime/system/error.h"
#include "libruntime/system/files.h"

namespace hull::checkpoint {
namespace {

class Directory {
 public:
  Directory() { fd_ = open_or_throw(AT_FDCWD, mkdtemp(path_), O_RDONLY | O_DIRECTORY); }
  ~Directory() {
    for (const char* name : {"descriptors.json", "files.json"}) unlinkat(fd_.get(), name, 0);
    rmdir(path_);
  }
  [[nodiscard]] int fd() const { return fd_.get(); }

 private:
  char path_[32] = "/tmp/hull-descriptors-XXXXXX";
  Fd fd_;
};

TEST_CASE("descriptors.json is runc's, and what is written is read again", "[G18]") {
  const Directory dir;
  write_descriptors(dir.fd(), {"pipe:[12]", "/dev/null", "/x \"y\""}, {{"file[1f:2a]", 2}});
  CHECK(read_file_at(dir.fd(), "descriptors.json") == R"(["pipe:[12]","/dev/null","/x \"y\""])");
  const Descriptors read = read_descriptors(dir.fd());
  CHECK(read.streams == std::vector<std::string>{"pipe:[12]", "/dev/null", "/x \"y\""});
  REQUIRE(read.files.size() == 1);
  CHECK(read.files[0].name == "file[1f:2a]");
  CHECK(read.files[0].stream == 2);
}

TEST_CASE("images of runc have no second file; damaged ones are refused", "[G18]") {
  const Directory dir;
  CHECK_THROWS_AS(read_descriptors(dir.fd()), Error);
  replace_file_at(dir.fd(), "descriptors.json", R"(["a"])", 0600);
  CHECK(read_descriptors(dir.fd()).files.empty());
  for (const char* text : {"{}", "[1]", R"([{"name":"x","stream":3}])", R"([{"name":"x"}])", "["}) {
    INFO(text);
    replace_file_at(dir.fd(), "files.json", text, 0600);
    CHECK_THROWS_AS(read_descriptors(dir.fd()), Error);
  }
}

}  // namespace
}  // namespace hull::checkpoint
