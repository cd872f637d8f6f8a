// Descriptors and sockets that go in and come out: preserved ones, LISTEN_FDS, pidfd, sd_notify.
#include <fcntl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <csignal>

#include "conformance/container/bundle.h"
#include "conformance/container/host.h"
#include "conformance/container/hull.h"
#include "conformance/container/socket.h"
#include "libruntime/system/catch.h"
#include "libruntime/system/files.h"
#include "libruntime/system/syscalls.h"

namespace hull::conformance {
namespace {

// The descriptors of the program itself, with their targets ("3 /x 4 /y").
const char* const kDescriptors =
    "cd /proc/$$/fd; for f in 3 4 5 6; do test -e $f && echo $f $(cat $f); done; exit 0";

}  // namespace

TEST_CASE("preserved descriptors reach the program, in order, and no others do", "[B9][C16]") {
  Bundle bundle;
  for (const char* name : {"a", "b", "c"}) write_file(bundle.dir() + "/" + name, name);
  const Fd a = open_or_throw(AT_FDCWD, bundle.dir() + "/a", O_RDONLY);
  const Fd b = open_or_throw(AT_FDCWD, bundle.dir() + "/b", O_RDONLY);
  const Fd c = open_or_throw(AT_FDCWD, bundle.dir() + "/c", O_RDONLY);
  const CommandOptions options{.fds = {{a.get(), 3}, {b.get(), 4}, {c.get(), 5}}};
  bundle.script(kDescriptors);
  CHECK(Hull(bundle).run({"--preserve-fds", "2"}, options).out == "3 a\n4 b\n");
  CHECK(Hull(bundle).run({}, options).out.empty());
}

TEST_CASE("a preserved descriptor that is not open is an error", "[B9]") {
  Bundle bundle;
  const Outcome done = Hull(bundle).run({"--preserve-fds", "3"});
  CHECK(done.exit_code != 0);
  CHECK(contains(done.err, "preserve"));
}

TEST_CASE("sockets of socket activation are passed on", "[C13]") {
  Bundle bundle;
  write_file(bundle.dir() + "/a", "a");
  write_file(bundle.dir() + "/b", "b");
  const Fd a = open_or_throw(AT_FDCWD, bundle.dir() + "/a", O_RDONLY);
  const Fd b = open_or_throw(AT_FDCWD, bundle.dir() + "/b", O_RDONLY);
  CommandOptions options{.env = {"LISTEN_FDS=1", "LISTEN_FDNAMES=web"},
                         .fds = {{a.get(), 3}, {b.get(), 4}}};
  bundle.script("echo $LISTEN_FDS $LISTEN_PID $LISTEN_FDNAMES $$; " + std::string(kDescriptors));
  CHECK(Hull(bundle).run({}, options).out == "1 1 web 1\n3 a\n");
  // --preserve-fds comes on top.
  CHECK(Hull(bundle).run({"--preserve-fds", "1"}, options).out == "1 1 web 1\n3 a\n4 b\n");
}

TEST_CASE("the pidfd socket gets a pidfd of the init", "[B5]") {
  Bundle bundle;
  bundle.args({"/bin/sleep", "100"});
  Listener listener(bundle.dir() + "/pidfd.sock");
  Hull hull(bundle);
  REQUIRE(hull.create({"--pidfd-socket", listener.path()}).exit_code == 0);
  const Received got = listener.receive();
  REQUIRE(got.fd.valid());
  const std::string info = read_file("/proc/self/fdinfo/" + std::to_string(got.fd.get()));
  CHECK(contains(info, "Pid:\t" + std::to_string(hull.pid()) + "\n"));
  CHECK(sys::pidfd_send_signal(got.fd.get(), SIGKILL) == 0);
  CHECK(hull.reaches("stopped"));
}

TEST_CASE("run.oci.pidfd_receiver is another name for --pidfd-socket", "[B5]") {
  Bundle bundle;
  bundle.args({"/bin/sleep", "100"});
  Listener listener(bundle.dir() + "/pidfd.sock");
  bundle.config["annotations"]["run.oci.pidfd_receiver"] = listener.path();
  Hull hull(bundle);
  REQUIRE(hull.create().exit_code == 0);
  const Received got = listener.receive();
  REQUIRE(got.fd.valid());
  CHECK(contains(read_file("/proc/self/fdinfo/" + std::to_string(got.fd.get())),
                 "Pid:\t" + std::to_string(hull.pid()) + "\n"));
}

TEST_CASE("exec --pidfd-socket gets a pidfd of the new process", "[B31]") {
  Bundle bundle;
  bundle.args({"/bin/sleep", "100"});
  Hull hull(bundle);
  hull.launch();
  Listener listener(bundle.dir() + "/pidfd.sock");
  REQUIRE(hull.exec({"/bin/sleep", "98766"}, {"--detach", "--pidfd-socket", listener.path()})
              .exit_code == 0);
  const Received got = listener.receive();
  REQUIRE(got.fd.valid());
  CHECK(sys::pidfd_send_signal(got.fd.get(), SIGKILL) == 0);
  CHECK(eventually([] { return processes_with("98766").empty(); }));
}

TEST_CASE("sd_notify's READY reaches the caller's socket, with the pid of the foreground run",
          "[C12]") {
  Bundle bundle;
  Mailbox mailbox(bundle.dir() + "/notify.sock");
  // busybox has no sd_notify; nc can't send datagrams to a path: the host's python does it from a
  // bound tree.
  if (!exists("/usr/bin/python3") && !exists("/usr/bin/socat"))
    HULL_SKIP("nothing here can send a datagram");
  bundle.script("test -S \"$NOTIFY_SOCKET\" && echo $NOTIFY_SOCKET > /socket; exec sleep 100");
  bundle.save();
  Hull hull(bundle);
  Process run(hull.argv({"run", "--bundle", bundle.dir(), hull.id()}),
              {.env = {"NOTIFY_SOCKET=" + mailbox.path()}});
  REQUIRE(eventually([&] { return contains(bundle.read("rootfs/socket"), "/run/"); }));
  std::string place = bundle.read("rootfs/socket");
  place.pop_back();
  const pid_t pid = hull.pid();
  const std::string send =
      "import socket,sys; s=socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM); "
      "s.sendto(b'STATUS=up\\nREADY=1\\n', sys.argv[1])";
  const Outcome sent = run_command(
      {"/usr/bin/python3", "-c", send, "/proc/" + std::to_string(pid) + "/root" + place});
  INFO(sent.err);
  REQUIRE(sent.exit_code == 0);
  std::string all;
  while (!(contains(all, "READY=1") && contains(all, "MAINPID="))) {
    const std::string got = mailbox.receive();
    if (got.empty()) break;
    all += got + "\n";
  }
  INFO(all);
  CHECK(contains(all, "READY=1"));
  CHECK(contains(all, "MAINPID=" + std::to_string(run.pid()) +
                          "\n"));  // who waits for the container, as with runc
  hull.kill();
  run.wait();
}

}  // namespace hull::conformance
