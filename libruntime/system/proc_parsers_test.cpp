#include <unistd.h>

#include <string>
#include <string_view>

#include "libruntime/system/catch.h"
#include "libruntime/system/mountinfo.h"
#include "libruntime/system/process_stat.h"

using namespace hull;

TEST_CASE("A stat line is read whatever the command's name holds", "[L77]") {
  const auto stat = parse_process_stat(
      "42 (evil) R 1 (x) Z 7 42 42 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 1 0 987654 0 0 1844 0 0 0");
  REQUIRE(stat.has_value());
  CHECK(stat->pid == 42);
  CHECK(stat->state == 'Z');
  CHECK(stat->parent == 7);
  CHECK(stat->start_time == 987654);
  CHECK(stat->dead());
}

TEST_CASE("Names and states of every kind are read, and two of the states are dead", "[L77]") {
  for (const char* name : {"sh", "a) b (c", "(sd-pam)", "", "new\nline", ") Z 1 2 3", "x) R"})
    for (const char state : std::string_view("RSDZTtXxIPKW")) {
      const auto stat =
          parse_process_stat("7 (" + std::string(name) + ") " + state +
                             " 1 7 7 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 1 0 987654 0 0 1844 0 0 0");
      INFO(name << " " << state);
      REQUIRE(stat);
      CHECK(stat->name == name);
      CHECK(stat->state == state);
      CHECK(stat->start_time == 987654);
      CHECK(stat->dead() == (state == 'Z' || state == 'X' || state == 'x'));
    }
}

TEST_CASE("A text that is no stat line gives nothing") {
  for (const char* bad :
       {"", "42", "42 (x)", "42 (x) R 1 2", "x (y) R 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0"})
    CHECK_FALSE(parse_process_stat(bad).has_value());
}

TEST_CASE("This process lives and has a start time; no process has pid 0") {
  const auto self = read_process_stat(getpid());
  REQUIRE(self.has_value());
  CHECK(self->state == 'R');
  CHECK(self->parent == getppid());
  CHECK(self->start_time > 0);
  CHECK_FALSE(read_process_stat(0).has_value());
}

TEST_CASE("A mountinfo line is split and unescaped") {
  const auto mounts = parse_mountinfo(
      "36 35 98:0 /ro\\040ot /mnt\\134x rw,noatime shared:1 master:2 - ext3 /dev/root "
      "rw,errors=continue\n"
      "37 36 0:5 / /p rw - proc proc rw\n"
      "broken line\n");
  REQUIRE(mounts.size() == 2);
  CHECK(mounts[0].root == "/ro ot");
  CHECK(mounts[0].mount_point == "/mnt\\x");
  CHECK(mounts[0].propagation == "shared:1 master:2");
  CHECK(mounts[0].fs_type == "ext3");
  CHECK(mounts[0].super_options == "rw,errors=continue");
  CHECK(mounts[1].propagation.empty());
  CHECK(has_option(mounts[0].options, "noatime"));
  CHECK_FALSE(has_option(mounts[0].options, "atime"));
}
