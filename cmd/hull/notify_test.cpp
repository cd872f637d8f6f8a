#include "cmd/hull/notify.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <thread>

#include "libruntime/system/catch.h"
#include "libruntime/system/error.h"
#include "libruntime/system/files.h"
#include "libruntime/system/syscalls.h"

namespace hull::cmd {
namespace {

sockaddr_un address(const std::string& path) {
  sockaddr_un out{};
  out.sun_family = AF_UNIX;
  std::memcpy(out.sun_path, path.data(), path.size());
  return out;
}

// A state root and the socket of a service manager, both in a directory that goes in the end.
class Scene {
 public:
  Scene() {
    char name[] = "/tmp/hull-notify-XXXXXX";
    REQUIRE(mkdtemp(name) != nullptr);
    root = name;
    manager.reset(socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    const sockaddr_un at = address(root + "/manager");
    REQUIRE(::bind(manager.get(), reinterpret_cast<const sockaddr*>(&at), sizeof at) == 0);
    setenv("NOTIFY_SOCKET", (root + "/manager").c_str(), 1);
  }
  ~Scene() {
    unsetenv("NOTIFY_SOCKET");
    unlink((root + "/manager").c_str());
    NotifyProxy::remove(root, "c");
    rmdir(root.c_str());
  }

  // As a program in the container.
  void say(const NotifyProxy& proxy, const std::string& text) const {
    const Fd client(socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    const sockaddr_un at = address(proxy.path());
    REQUIRE(sendto(client.get(), text.data(), text.size(), 0,
                   reinterpret_cast<const sockaddr*>(&at),
                   sizeof at) == static_cast<ssize_t>(text.size()));
  }
  // The next message at the service manager; empty: none within 2 seconds. Descriptors are closed.
  [[nodiscard]] std::string heard() const {
    pollfd one{manager.get(), POLLIN, 0};
    if (poll(&one, 1, 2000) != 1) return {};
    char buffer[4096];
    const ssize_t got = recv(manager.get(), buffer, sizeof buffer, 0);
    return {buffer, static_cast<size_t>(got)};
  }

  std::string root;
  Fd manager;
};

NotifyProxy open_proxy(const Scene& scene) {
  auto out = NotifyProxy::from_environment(scene.root, "c");
  REQUIRE(out);
  out->make_directory();
  out->bind();
  return std::move(*out);
}

}  // namespace

TEST_CASE("a notification passes line by line, READY wherever it stands") {
  bool ready = false;
  CHECK(filter_notification("STATUS=up\nREADY=1", 42, ready) == "STATUS=up\nREADY=1\nMAINPID=42\n");
  CHECK(ready);
}

TEST_CASE("pids, stored descriptors and rights of a container's notification are left out") {
  bool ready = false;
  CHECK(filter_notification("MAINPID=1\nFDSTORE=1\nNOTIFYACCESS=all\nSTATUS=x\n", 42, ready) ==
        "STATUS=x\n");
  CHECK(filter_notification("XREADY=1\nREADY=0", 42, ready) == "READY=0\n");
  CHECK_FALSE(ready);
  CHECK(filter_notification("", 42, ready).empty());
}

TEST_CASE("without a service manager there is no proxy") {
  unsetenv("NOTIFY_SOCKET");
  CHECK_FALSE(NotifyProxy::from_environment("/nowhere", "c"));
  setenv("NOTIFY_SOCKET", "relative", 1);
  CHECK_THROWS_AS(NotifyProxy::from_environment("/nowhere", "c"), Error);
  unsetenv("NOTIFY_SOCKET");
}

TEST_CASE("the proxy sends the container's messages on") {
  const Scene scene;
  NotifyProxy proxy = open_proxy(scene);
  scene.say(proxy, "STATUS=loading");
  CHECK_FALSE(proxy.forward(42));
  CHECK(scene.heard() == "STATUS=loading\n");
  scene.say(proxy, "READY=1");
  CHECK(proxy.forward(42));
  CHECK(scene.heard() == "READY=1\nMAINPID=42\n");
}

TEST_CASE("after READY a container left alone gets its barrier sent, and the proxy ends") {
  const Scene scene;
  NotifyProxy proxy = open_proxy(scene);
  scene.say(proxy, "STATUS=almost\nREADY=1");
  const Fd self(sys::pidfd_open(getpid(), 0));
  // heard() drops the barrier's descriptor, which ends the wait.
  std::thread proxied([&] { proxy.forward_until_ready(self.get(), 42); });
  CHECK(scene.heard() == "STATUS=almost\nREADY=1\nMAINPID=42\n");
  CHECK(scene.heard() == "BARRIER=1");
  proxied.join();
}

TEST_CASE("a service manager that knows no barrier is waited for no longer than the limit") {
  const Scene scene;
  NotifyProxy proxy = open_proxy(scene);
  scene.say(proxy, "READY=1");
  const Fd self(sys::pidfd_open(getpid(), 0));
  const auto begin = std::chrono::steady_clock::now();
  proxy.forward_until_ready(self.get(), 42, std::chrono::milliseconds(50));
  CHECK(std::chrono::steady_clock::now() - begin < std::chrono::seconds(2));
}

TEST_CASE("the proxy's directory goes unless it is kept, and is not taken from another container") {
  const Scene scene;
  const std::string directory = scene.root + "/.notify@c";
  { const NotifyProxy proxy = open_proxy(scene); }
  CHECK(access(directory.c_str(), F_OK) != 0);
  {
    NotifyProxy proxy = open_proxy(scene);
    proxy.keep();
  }
  CHECK(access(directory.c_str(), F_OK) == 0);
  make_directories(scene.root + "/c", 0700);
  CHECK_THROWS_WITH(open_proxy(scene), "container with given ID already exists");
  rmdir((scene.root + "/c").c_str());
}

TEST_CASE("a long state root is no obstacle to the socket") {
  const Scene scene;
  const std::string id(100, 'x');
  auto proxy = NotifyProxy::from_environment(scene.root, id);
  REQUIRE(proxy);
  proxy->make_directory();
  CHECK_NOTHROW(proxy->bind());
  CHECK(access(proxy->path().c_str(), F_OK) == 0);
}

}  // namespace hull::cmd
