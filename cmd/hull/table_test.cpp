#include "cmd/hull/table.h"

#include "cmd/hull/id_pattern.h"
#include "cmd/hull/ps_table.h"
#include "libruntime/system/catch.h"
#include "libruntime/system/error.h"

namespace hull::cmd {

TEST_CASE("a table's columns are at least 12 wide and 3 apart") {
  CHECK(table_text({{"ID", "PID", "OWNER"}, {"c1", "15889", "root"}}) ==
        "ID          PID         OWNER\n"
        "c1          15889       root\n");
  CHECK(table_text({{"ID", "PID"}, {"c2longer-than-12", "1"}}) ==
        "ID                 PID\n"
        "c2longer-than-12   1\n");
}

TEST_CASE("a table's width counts characters, not bytes") {
  CHECK(table_text({{"\xc3\xa4\xc3\xa4", "x"}}) == "\xc3\xa4\xc3\xa4          x\n");
}

TEST_CASE("ps shows the title and the lines of the container's processes") {
  const std::string output =
      "  PID COMMAND\n"
      "    1 init\n"
      "   12 sleep 100\n"
      "  123 sh\n";
  CHECK(lines_of_pids(output, {12, 123}) == "  PID COMMAND\n   12 sleep 100\n  123 sh\n");
  CHECK(lines_of_pids(output, {}) == "  PID COMMAND\n");
}

TEST_CASE("ps without a PID column is an error") {
  CHECK_THROWS_WITH(lines_of_pids("COMMAND\nsh\n", {1}), "couldn't find PID field in ps output");
  CHECK_THROWS_AS(lines_of_pids("USER PID\nroot x\n", {1}), Error);
  CHECK_THROWS_AS(lines_of_pids("", {1}), Error);
}

TEST_CASE("an ID pattern is an extended regular expression that matches anywhere") {
  const std::vector<std::string> ids{"web-1", "web-2", "db-1"};
  CHECK(matching_ids(ids, "^web-") == std::vector<std::string>{"web-1", "web-2"});
  CHECK(matching_ids(ids, "(db|web)-1$") == std::vector<std::string>{"web-1", "db-1"});
  CHECK(matching_ids(ids, "x").empty());
  CHECK_THROWS_AS(matching_ids(ids, "("), Error);
}

TEST_CASE("one container that fails does not keep the others from an action") {
  std::vector<std::string> seen;
  const int status = for_each_id({"a", "b", "c"}, [&](const std::string& id) {
    if (id == "b") throw Error("container not running");
    seen.push_back(id);
  });
  CHECK(status == 1);
  CHECK(seen == std::vector<std::string>{"a", "c"});
}

}  // namespace hull::cmd
