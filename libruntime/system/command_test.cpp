#include "libruntime/system/command.h"

#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "libruntime/system/catch.h"

using namespace hull;

namespace {

Command shell(const std::string& script) {
  Command out;
  out.path = "/bin/sh";
  out.args = {"sh", "-c", script};
  return out;
}

}  // namespace

TEST_CASE("A command gets its input and its output is kept") {
  Command command = shell("read line; echo got $line; echo oops >&2; exit 3");
  command.input = "hello\n";
  const CommandResult result = run_command(command);
  CHECK(WEXITSTATUS(result.status) == 3);
  CHECK(result.output == "got hello\noops\n");
}

TEST_CASE("A command gets the environment that it is given, and no other") {
  Command command = shell("echo \"$SHORT $A_LONGER_ONE_THAN_FITS_INTO_A_STRING $HOME\"");
  command.env = {"SHORT=1", "A_LONGER_ONE_THAN_FITS_INTO_A_STRING=2"};
  CHECK(run_command(command).output == "1 2 \n");
}

TEST_CASE("A command that does not read a large input is no trouble") {
  const std::string large(1 << 20, 'x');
  Command command = shell("exit 0");
  command.input = large;
  CHECK(run_command(command).status == 0);
}

TEST_CASE("Only the end of a long output is kept") {
  const CommandResult result =
      run_command(shell("i=0; while [ $i -lt 3000 ]; do echo line $i; i=$((i+1)); done"));
  CHECK(result.output.size() == 4096);
  CHECK(result.output.ends_with("line 2999\n"));
}

TEST_CASE("Output that has a place to go is not collected") {
  const Fd file(memfd_create("out", MFD_CLOEXEC));
  Command command = shell("echo out; echo err >&2");
  command.out_fd = file.get();
  CHECK(run_command(command).output == "err\n");
  char text[8];
  CHECK(std::string(text, static_cast<size_t>(pread(file.get(), text, sizeof text, 0))) == "out\n");
}

TEST_CASE("A command that takes too long is killed") {
  Command command = shell("exec sleep 1000");
  command.timeout = std::chrono::milliseconds(50);
  const CommandResult result = run_command(command);
  CHECK(result.timed_out);
  CHECK(WIFSIGNALED(result.status));
}

TEST_CASE("A command is killed when the peer it works for is gone") {
  int ends[2];
  REQUIRE(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) == 0);
  const Fd ours(ends[0]);
  Fd(ends[1]).reset();
  Command command = shell("exec sleep 1000");
  command.abort_fd = ours.get();
  CHECK(run_command(command).aborted);
}

TEST_CASE("A command that can't be executed says why") {
  Command command;
  command.path = "/does/not/exist";
  CHECK(run_command(command).exec_errno == ENOENT);
}

TEST_CASE("A command has the environment and directory it is given") {
  Command command = shell("echo $A-$HOME; pwd");
  command.env = std::vector<std::string>{"A=b"};
  command.dir = "/tmp";
  CHECK(run_command(command).output == "b-\n/tmp\n");
}

TEST_CASE("A grandchild that keeps the output open does not hold us up") {
  CHECK(run_command(shell("sleep 30 & echo done")).output == "done\n");
}
