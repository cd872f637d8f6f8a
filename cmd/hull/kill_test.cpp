#include "cmd/hull/command.h"
#include "libruntime/system/catch.h"
#include "libruntime/system/error.h"

namespace hull::cmd {
namespace {

// `hull kill` with these words below a root without containers.
int kill_with(std::vector<std::string> words) {
  std::vector<char*> pointers;
  for (std::string& word : words) pointers.push_back(word.data());
  Globals globals;
  globals.root = "/nonexistent/hull-root";
  const Options options = Options::parse(kill_command.options, pointers, kill_command.positionals);
  return kill_command.run({globals, options});
}

}  // namespace

TEST_CASE("kill takes a signal by number, short name and full name in any case") {
  for (const char* signal : {"9", "0", "64", "KILL", "SIGKILL", "sigterm", "Hup", "RTMIN+1", ""}) {
    INFO(signal);
    CHECK(kill_with({"--regex", "x", signal}) == 0);
  }
  CHECK(kill_with({"-r", "x"}) == 0);
}

TEST_CASE("kill refuses what is no signal before it touches a container") {
  for (const char* signal : {"XX", "65", "-1", "9x", "SIG", "-f"}) {
    INFO(signal);
    CHECK_THROWS_AS(kill_with({"--regex", "x", signal}), Error);
  }
}

TEST_CASE("kill of a missing container says so, whatever the signal") {
  CHECK_THROWS_WITH(kill_with({"nope", "XX"}), "container does not exist");
  CHECK_THROWS_WITH(kill_with({"--all", "nope"}), "container does not exist");
}

}  // namespace hull::cmd
