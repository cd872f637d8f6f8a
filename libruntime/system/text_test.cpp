#include "libruntime/system/text.h"

#include "libruntime/system/catch.h"
#include "libruntime/system/error.h"
#include "libruntime/system/signals.h"
#include "libruntime/system/users.h"

using namespace hull;

TEST_CASE("A number is the whole text or nothing") {
  CHECK(parse_number<int>("12") == 12);
  CHECK(parse_number<int>("-3") == -3);
  for (const char* bad : {"", " 1", "1 ", "+1", "1x", "0x10", "99999999999"})
    CHECK_FALSE(parse_number<int>(bad).has_value());
  CHECK_FALSE(parse_number<unsigned>("-1").has_value());
}

TEST_CASE("A path is cleaned as Go's filepath.Clean does", "[L79]") {
  const std::pair<const char*, const char*> table[] = {
      {"", "."},         {"/", "/"},        {"//a//b/", "/a/b"}, {"/a/../b", "/b"},
      {"/../a", "/a"},   {"a/../..", ".."}, {"./a/./b", "a/b"},  {"../x", "../x"},
      {"/a/b/..", "/a"}, {"a/..", "."},
  };
  for (const auto& [in, out] : table) CHECK(clean_path(in) == out);
}

TEST_CASE("Being below a path is decided by component, not by prefix") {
  CHECK(path_is_below("/a/b", "/a"));
  CHECK(path_is_below("/a", "/a"));
  CHECK(path_is_below("/a", "/"));
  CHECK_FALSE(path_is_below("/ab", "/a"));
  CHECK_FALSE(path_is_below("/", "/a"));
}

TEST_CASE("Signals are known by number, name and full name in any case") {
  CHECK(parse_signal("9") == 9);
  CHECK(parse_signal("kill") == 9);
  CHECK(parse_signal("SIGKILL") == 9);
  CHECK(parse_signal("sigterm") == 15);
  CHECK(parse_signal("RTMIN+1") == 35);
  CHECK(parse_signal("SIGRTMAX-1") == 63);
  CHECK(parse_signal("0") == 0);
  for (const char* bad : {"", "SIG", "SIGFOO", "65", "-1", "RTMIN+99", "RTMIN-1"})
    CHECK_FALSE(parse_signal(bad).has_value());
  CHECK(signal_name(9) == "SIGKILL");
}

TEST_CASE("The home directory comes from the first entry with the user's number") {
  const char passwd[] =
      "1000:x:0:0:root:/evil:/bin/sh\nroot:x:0:0::/root:/bin/sh\nroot2:x:0:0::/two:/bin/"
      "sh\nbroken:x:5\n";
  CHECK(home_of(passwd, 0) == "/evil");  // the first with number 0; the name is not looked at
  CHECK_FALSE(home_of(passwd, 1000).has_value());
  CHECK_FALSE(home_of(passwd, 5).has_value());
  CHECK(name_of("a:x:7:7::/:/bin/sh", 7) == "a");
}

TEST_CASE("An error says stage, message, field, call, errno and hint in one line") {
  Error error = Error("cannot mount", "mount", 2).field("/mounts/3").stage("rootfs").hint("look");
  CHECK(std::string(error.what()) ==
        "rootfs: cannot mount: mount: no such file or directory (/mounts/3); look");
  error.set_field("/other");
  CHECK(error.field() == "/mounts/3");
}

TEST_CASE("A quoted text has no raw control characters") {
  CHECK(quote("a\"b\\\n\x01") == "\"a\\\"b\\\\\\n\\x01\"");
}
