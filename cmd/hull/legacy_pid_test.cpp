#include "cmd/hull/legacy_pid.h"

#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>

#include "libruntime/system/catch.h"
#include "libruntime/system/files.h"
#include "libruntime/system/process_stat.h"

namespace hull::cmd {
namespace {

struct Directory {
  char path[32] = "/tmp/hull-pid-XXXXXX";
  Directory() { REQUIRE(mkdtemp(path) != nullptr); }
  ~Directory() {
    for (const char* name : {"/pid", "/start"}) unlink((std::string(path) + name).c_str());
    rmdir(path);
  }
  void write(const std::string& name, const std::string& text) const {
    replace_file(std::string(path) + "/" + name, text, 0644);
  }
};

}  // namespace

TEST_CASE("The pid file is a number without a newline, and its start time lies beside it", "[S4]") {
  const Directory directory;
  CHECK_FALSE(read_legacy_pid(directory.path));
  const LegacyPid mine{getpid(), read_process_stat(getpid())->start_time};
  write_legacy_pid(directory.path, mine);
  const std::string file = std::string(directory.path) + "/pid";
  CHECK(read_file(file) == std::to_string(getpid()));
  struct stat info {};
  REQUIRE(stat(file.c_str(), &info) == 0);
  CHECK((info.st_mode & 07777) == 0655);
  CHECK(read_legacy_pid(directory.path) == mine);
  CHECK(is_alive(mine));
  // Another's files stay.
  remove_legacy_pid(directory.path, {mine.pid, mine.start_time + 1});
  CHECK(read_legacy_pid(directory.path) == mine);
  remove_legacy_pid(directory.path, mine);
  CHECK_FALSE(read_file_if_exists(file));
}

TEST_CASE("A process that has another start time, or is dead, is not the one of the file", "[S3]") {
  const uint64_t start = read_process_stat(getpid())->start_time;
  CHECK_FALSE(is_alive({getpid(), start + 1}));
  const pid_t child = fork();
  if (child == 0) _exit(0);
  siginfo_t info{};
  REQUIRE(waitid(P_PID, static_cast<id_t>(child), &info, WEXITED | WNOWAIT) == 0);
  const LegacyPid zombie{child, read_process_stat(child)->start_time};
  CHECK_FALSE(is_alive(zombie));
  waitpid(child, nullptr, 0);
  CHECK_FALSE(is_alive(zombie));
}

TEST_CASE("What is no number, or no file, names no process", "[S3]") {
  const Directory directory;
  directory.write("start", "5");
  for (const char* text : {"", "abc", "-1", "0", "1 2", "99999999999999999999"}) {
    INFO(text);
    directory.write("pid", text);
    CHECK_FALSE(read_legacy_pid(directory.path));
  }
  directory.write("pid", "7\n");
  CHECK(read_legacy_pid(directory.path) == LegacyPid{7, 5});
  const std::string file = std::string(directory.path) + "/pid";
  unlink(file.c_str());
  REQUIRE(mkfifo(file.c_str(), 0644) == 0);
  CHECK_FALSE(read_legacy_pid(directory.path));
  unlink(file.c_str());
  REQUIRE(symlink("start", file.c_str()) == 0);
  CHECK_FALSE(read_legacy_pid(directory.path));
}

}  // namespace hull::cmd
