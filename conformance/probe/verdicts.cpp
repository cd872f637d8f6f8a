#include <seccomp.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <string>
#include <thread>

#include "conformance/probe/topics.h"
#include "libruntime/system/signals.h"
#include "libruntime/system/text.h"

namespace hull::probe {
namespace {

struct Call {
  int number = -1;
  std::array<unsigned long, 6> args{};
};

Call parse(const std::string& text) {
  Call call;
  const size_t open = text.find('(');
  const std::string name = text.substr(0, open);
  call.number = seccomp_syscall_resolve_name(name.c_str());
  if (open == std::string::npos) return call;
  size_t index = 0;
  for (const std::string_view word :
       split(std::string_view(text).substr(open + 1, text.size() - open - 2), ','))
    if (index < call.args.size())
      call.args[index++] = parse_number<unsigned long>(trim(word)).value();
  return call;
}

// Exit statuses of the child that makes the call: 0, or
constexpr int kErrno = 1;  // + errno, up to 199
constexpr int kTrapped = 200;
constexpr int kThreadGone = 201;

[[noreturn]] void make_call(const Call& call) {
  std::signal(SIGSYS, [](int) { _exit(kTrapped); });
  int status = kThreadGone;
  // A thread of its own: SCMP_ACT_KILL_THREAD leaves us to tell.
  std::thread([&] {
    const auto& a = call.args;
    const long result = syscall(call.number, a[0], a[1], a[2], a[3], a[4], a[5]);
    status = result >= 0 ? 0 : kErrno + (errno < 190 ? errno : 190);
  }).join();
  _exit(status);
}

// "ok", an errno, "trap", "thread killed", or the signal that killed the process.
std::string verdict(const std::string& text) {
  const Call call = parse(text);
  if (call.number < 0) return "unknown";
  const pid_t child = fork();
  if (child == 0) make_call(call);
  int status = 0;
  if (child < 0 || waitpid(child, &status, 0) != child) return "no child: " + errno_name(errno);
  if (WIFSIGNALED(status)) return std::string(signal_name(WTERMSIG(status)));
  switch (WEXITSTATUS(status)) {
    case 0:
      return "ok";
    case kTrapped:
      return "trap";
    case kThreadGone:
      return "thread killed";
    default:
      return errno_name(WEXITSTATUS(status) - kErrno);
  }
}

}  // namespace

Json verdicts(const Keys& calls) {
  Json all = Json::object();
  for (const std::string& call : calls) all[call] = verdict(call);
  return all;
}

}  // namespace hull::probe
