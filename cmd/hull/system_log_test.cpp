#include "cmd/hull/system_log.h"

#include "libruntime/system/catch.h"

namespace hull::cmd {

TEST_CASE("an entry of the journal has its fields, one with line ends in the binary form") {
  CHECK(system_log_entry(SystemLog::journald, "box", log::Level::error, "one line") ==
        "PRIORITY=3\nSYSLOG_IDENTIFIER=box\nMESSAGE=one line\n");
  CHECK(system_log_entry(SystemLog::journald, "box", log::Level::debug, "a\nb") ==
        std::string("PRIORITY=7\nSYSLOG_IDENTIFIER=box\nMESSAGE\n\3\0\0\0\0\0\0\0a\nb\n", 53));
}

TEST_CASE("a line for syslog has facility and severity in front") {
  CHECK(system_log_entry(SystemLog::syslog, "box", log::Level::warning, "text") == "<28>box: text");
}

}  // namespace hull::cmd
