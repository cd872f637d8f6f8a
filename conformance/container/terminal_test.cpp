// Terminals: console socket, foreground, size, rules.
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include <csignal>

#include "conformance/container/bundle.h"
#include "conformance/container/host.h"
#include "conformance/container/hull.h"
#include "conformance/container/socket.h"
#include "libruntime/system/catch.h"
#include "libruntime/system/files.h"

namespace hull::conformance {

TEST_CASE("the console socket gets the terminal's master, and the program the slave",
          "[B4][D24][L34]") {
  Bundle bundle;
  bundle.config["process"]["terminal"] = true;
  bundle.script(
      "tty; test -t 0 && test -t 1 && test -t 2 && echo all; stat -c '%t' -L /dev/console; echo "
      "end > /dev/tty");
  Listener listener(bundle.dir() + "/console.sock");
  Hull hull(bundle);
  REQUIRE(hull.create({"--console-socket", listener.path()}).exit_code == 0);
  const Received got = listener.receive();
  REQUIRE(got.fd.valid());
  CHECK(contains(got.text, "/dev/pt"));
  REQUIRE(hull.start().exit_code == 0);
  const std::string text = read_until(got.fd, "end");
  INFO(text);
  CHECK(contains(text, "/dev/pts/0"));
  CHECK(contains(text, "all"));
  CHECK(contains(text, "88"));  // major 136: a pty's slave
  CHECK(contains(text, "end"));
}

TEST_CASE("the console has the size that is asked for from the first moment",
          "[D25][users-ask-20]") {
  Bundle bundle;
  bundle.config["process"]["terminal"] = true;
  bundle.config["process"]["consoleSize"] = {{"height", 33}, {"width", 111}};
  bundle.script("stty size; echo end");
  Listener listener(bundle.dir() + "/console.sock");
  Hull hull(bundle);
  REQUIRE(hull.create({"--console-socket", listener.path()}).exit_code == 0);
  const Received got = listener.receive();
  REQUIRE(hull.start().exit_code == 0);
  CHECK(contains(read_until(got.fd, "end"), "33 111"));
}

TEST_CASE("consoleSize without a terminal is ignored", "[D25]") {
  Bundle bundle;
  bundle.config["process"]["consoleSize"] = {{"height", 33}, {"width", 111}};
  CHECK(output_of(bundle, "echo ok") == "ok");
}

TEST_CASE("the console belongs to the container's user", "[D24]") {
  Bundle bundle;
  bundle.config["process"]["terminal"] = true;
  bundle.config["process"]["user"] = {{"uid", 1000}, {"gid", 1000}};
  bundle.script("stat -c 'owner %u' $(tty); echo end");
  Listener listener(bundle.dir() + "/console.sock");
  Hull hull(bundle);
  REQUIRE(hull.create({"--console-socket", listener.path()}).exit_code == 0);
  const Received got = listener.receive();
  REQUIRE(hull.start().exit_code == 0);
  CHECK(contains(read_until(got.fd, "end"), "owner 1000"));
}

TEST_CASE("a foreground run relays its own terminal, with size and input", "[B15][D24]") {
  Bundle bundle;
  bundle.config["process"]["terminal"] = true;
  bundle.script("stty size; read line; echo \"got $line\"; exit 5");
  bundle.save();
  Hull hull(bundle);
  const Pty pty = open_pty();
  winsize size{};
  size.ws_row = 44;
  size.ws_col = 122;
  REQUIRE(ioctl(pty.master.get(), TIOCSWINSZ, &size) == 0);
  Process run(hull.argv({"run", "--bundle", bundle.dir(), hull.id()}),
              {.terminal = pty.slave.get()});
  CHECK(contains(read_until(pty.master, "44 122"), "44 122"));
  REQUIRE(write(pty.master.get(), "hello\r", 6) == 6);
  CHECK(contains(read_until(pty.master, "got hello"), "got hello"));
  CHECK(run.wait().exit_code == 5);
  termios mode{};
  REQUIRE(tcgetattr(pty.slave.get(), &mode) == 0);
  CHECK((mode.c_lflag & ICANON) != 0);  // the caller's terminal is as it was
}

TEST_CASE("a resize of the caller's terminal reaches the container", "[B15][users-ask-20]") {
  Bundle bundle;
  bundle.config["process"]["terminal"] = true;
  bundle.script("trap 'stty size; exit 0' WINCH; echo ready; while :; do sleep 0.01; done");
  bundle.save();
  Hull hull(bundle);
  const Pty pty = open_pty();
  Process run(hull.argv({"run", "--bundle", bundle.dir(), hull.id()}),
              {.terminal = pty.slave.get()});
  REQUIRE(contains(read_until(pty.master, "ready"), "ready"));
  winsize size{};
  size.ws_row = 55;
  size.ws_col = 133;
  REQUIRE(ioctl(pty.master.get(), TIOCSWINSZ, &size) == 0);
  CHECK(contains(read_until(pty.master, "55 133"), "55 133"));
  CHECK(run.wait().exit_code == 0);
}

TEST_CASE("a terminal needs a console socket when run detaches, and only then", "[B14]") {
  Bundle bundle;
  bundle.config["process"]["terminal"] = true;
  CHECK(contains(Hull(bundle).run({"-d"}).err, "cannot allocate tty if"));
  Hull created(bundle);
  CHECK(contains(created.create().err, "cannot allocate tty if"));
  bundle.config["process"]["terminal"] = false;
  CHECK(contains(Hull(bundle).run({"--console-socket", "/tmp/x"}).err,
                 "cannot use console socket if"));
}

TEST_CASE("a console socket that nobody listens at is an error, and nothing stays", "[B4]") {
  Bundle bundle;
  bundle.config["process"]["terminal"] = true;
  Hull hull(bundle);
  CHECK(hull.create({"--console-socket", bundle.dir() + "/absent.sock"}).exit_code == 1);
  CHECK_FALSE(exists(hull.root() + "/" + hull.id()));
}

TEST_CASE("exec --tty gives the process a terminal of its own", "[B26]") {
  Bundle bundle;
  bundle.args({"/bin/sleep", "100"});
  Hull hull(bundle);
  hull.launch();
  const Pty pty = open_pty();
  Process run(hull.argv({"exec", "--tty", hull.id(), "/bin/sh", "-c", "tty; echo end; exit 6"}),
              {.terminal = pty.slave.get()});
  const std::string text = read_until(pty.master, "end");
  CHECK(contains(text, "/dev/pts/"));
  CHECK(run.wait().exit_code == 6);

  Listener listener(bundle.dir() + "/console.sock");
  REQUIRE(hull.exec({"/bin/sh", "-c", "tty; echo end"},
                    {"--tty", "--detach", "--console-socket", listener.path()})
              .exit_code == 0);
  CHECK(contains(read_until(listener.receive().fd, "end"), "/dev/pts/"));
}

}  // namespace hull::conformance
