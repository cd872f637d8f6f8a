#include "libruntime/network/loopback.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sched.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "libruntime/system/catch.h"
#include "libruntime/system/error.h"

namespace hull::network {
namespace {

bool can_talk_to_itself() {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t length = sizeof address;
  const int server = socket(AF_INET, SOCK_STREAM, 0);
  const int client = socket(AF_INET, SOCK_STREAM, 0);
  auto* raw = reinterpret_cast<sockaddr*>(&address);
  return bind(server, raw, length) == 0 && listen(server, 1) == 0 &&
         getsockname(server, raw, &length) == 0 && connect(client, raw, length) == 0;
}

}  // namespace

TEST_CASE("A new network namespace can talk to itself once its loopback is up") {
  if (geteuid() != 0) HULL_SKIP("needs root");
  const pid_t pid = fork();
  if (pid == 0) {
    if (unshare(CLONE_NEWNET) != 0) _exit(1);
    if (can_talk_to_itself()) _exit(2);
    try {
      bring_loopback_up();
      bring_loopback_up();  // twice does no harm
    } catch (const Error&) {
      _exit(3);
    }
    _exit(can_talk_to_itself() ? 0 : 4);
  }
  int status = 0;
  REQUIRE(waitpid(pid, &status, 0) == pid);
  CHECK(status == 0);
}

TEST_CASE("Without the right to configure the network it is an error") {
  if (geteuid() != 0) HULL_SKIP("needs root");
  const pid_t pid = fork();
  if (pid == 0) {
    if (unshare(CLONE_NEWNET) != 0 || setresuid(1000, 1000, 1000) != 0) _exit(1);
    try {
      bring_loopback_up();
    } catch (const Error& e) {
      _exit(e.hint().empty() ? 2 : 0);
    }
    _exit(3);
  }
  int status = 0;
  REQUIRE(waitpid(pid, &status, 0) == pid);
  CHECK(status == 0);
}

}  // namespace hull::network
