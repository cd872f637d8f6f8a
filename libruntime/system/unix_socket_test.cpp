#include "libruntime/system/unix_socket.h"

#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>

#include "libruntime/system/catch.h"
#include "libruntime/system/error.h"
#include "libruntime/system/fd.h"
#include "libruntime/system/files.h"

namespace hull {
namespace {

// A listening socket in a directory of its own.
class Agent {
 public:
  Agent() {
    REQUIRE(mkdtemp(dir_) != nullptr);
    path_ = std::string(dir_) + "/agent.sock";
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::memcpy(address.sun_path, path_.c_str(), path_.size());
    socket_.reset(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    REQUIRE(bind(socket_.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) == 0);
    REQUIRE(listen(socket_.get(), 4) == 0);
  }
  ~Agent() {
    unlink(path_.c_str());
    rmdir(dir_);
  }
  Agent(const Agent&) = delete;
  Agent& operator=(const Agent&) = delete;

  [[nodiscard]] const std::string& path() const { return path_; }

  struct Received {
    std::string text;
    Fd fd;
  };
  // All that one connection brings.
  [[nodiscard]] Received take() const {
    const Fd peer(accept(socket_.get(), nullptr, nullptr));
    Received out;
    out.text.resize(1 << 16);
    iovec part{out.text.data(), out.text.size()};
    alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int))] = {};
    msghdr message{};
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    message.msg_control = control;
    message.msg_controllen = sizeof control;
    const ssize_t got = recvmsg(peer.get(), &message, MSG_CMSG_CLOEXEC);
    REQUIRE(got >= 0);
    out.text.resize(static_cast<size_t>(got));
    if (const cmsghdr* header = CMSG_FIRSTHDR(&message); header != nullptr) {
      int fd = -1;
      std::memcpy(&fd, CMSG_DATA(header), sizeof fd);
      out.fd.reset(fd);
    }
    out.text += read_all(peer.get(), "agent");
    return out;
  }

 private:
  char dir_[32] = "/tmp/hull-agent-XXXXXX";
  std::string path_;
  Fd socket_;
};

}  // namespace

TEST_CASE("The agent gets the state and the listener", "[L79]") {
  const Agent agent;
  int ends[2];
  REQUIRE(pipe(ends) == 0);
  const Fd reading(ends[0]), writing(ends[1]);
  send_fd(agent.path(), writing.get(), R"({"fds":["seccompFd"]})");
  const Agent::Received got = agent.take();
  CHECK(got.text == R"({"fds":["seccompFd"]})");
  REQUIRE(got.fd.valid());
  REQUIRE(write(got.fd.get(), "x", 1) == 1);
  char byte = 0;
  CHECK(read(reading.get(), &byte, 1) == 1);
}

TEST_CASE("A state larger than the socket's buffer arrives whole") {
  const Agent agent;
  const std::string state(size_t{4} << 20, 's');
  const pid_t pid = fork();
  if (pid == 0) {
    try {
      send_fd(agent.path(), STDIN_FILENO, state);
      _exit(0);
    } catch (const Error&) {
      _exit(1);
    }
  }
  const Agent::Received got = agent.take();
  CHECK(got.text == state);
  CHECK(got.fd.valid());
  int status = 0;
  REQUIRE(waitpid(pid, &status, 0) == pid);
  CHECK(status == 0);
}

TEST_CASE("A socket whose path is too long for an address is reached by its directory") {
  const std::string dir = "/tmp/hull-" + std::string(150, 'd');
  make_directories(dir, 0700);
  const Fd dir_fd = open_or_throw(AT_FDCWD, dir, O_PATH | O_DIRECTORY);
  const std::string short_path = "/proc/self/fd/" + std::to_string(dir_fd.get()) + "/s";
  const Fd listener(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, short_path.c_str(), short_path.size());
  REQUIRE(bind(listener.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) == 0);
  REQUIRE(listen(listener.get(), 1) == 0);
  CHECK_NOTHROW(send_fd(dir + "/s", STDIN_FILENO, "x"));
  unlink((dir + "/s").c_str());
  rmdir(dir.c_str());
}

TEST_CASE("A socket that is not there is an error") {
  CHECK_THROWS_AS(send_fd("/nonexistent/agent.sock", STDIN_FILENO, "{}"), Error);
}

}  // namespace hull
