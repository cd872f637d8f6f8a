#include "libruntime/system/signals.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <csignal>
#include <string>

#include "libruntime/system/text.h"

namespace hull {
namespace {

struct Name {
  std::string_view text;
  int number;
};

// signal(7); the second of two names for one number only serves parsing.
constexpr std::array kSignals{
    Name{"SIGHUP", SIGHUP},       Name{"SIGINT", SIGINT},       Name{"SIGQUIT", SIGQUIT},
    Name{"SIGILL", SIGILL},       Name{"SIGTRAP", SIGTRAP},     Name{"SIGABRT", SIGABRT},
    Name{"SIGIOT", SIGABRT},      Name{"SIGBUS", SIGBUS},       Name{"SIGFPE", SIGFPE},
    Name{"SIGKILL", SIGKILL},     Name{"SIGUSR1", SIGUSR1},     Name{"SIGSEGV", SIGSEGV},
    Name{"SIGUSR2", SIGUSR2},     Name{"SIGPIPE", SIGPIPE},     Name{"SIGALRM", SIGALRM},
    Name{"SIGTERM", SIGTERM},     Name{"SIGSTKFLT", SIGSTKFLT}, Name{"SIGCHLD", SIGCHLD},
    Name{"SIGCLD", SIGCHLD},      Name{"SIGCONT", SIGCONT},     Name{"SIGSTOP", SIGSTOP},
    Name{"SIGTSTP", SIGTSTP},     Name{"SIGTTIN", SIGTTIN},     Name{"SIGTTOU", SIGTTOU},
    Name{"SIGURG", SIGURG},       Name{"SIGXCPU", SIGXCPU},     Name{"SIGXFSZ", SIGXFSZ},
    Name{"SIGVTALRM", SIGVTALRM}, Name{"SIGPROF", SIGPROF},     Name{"SIGWINCH", SIGWINCH},
    Name{"SIGIO", SIGIO},         Name{"SIGPOLL", SIGIO},       Name{"SIGPWR", SIGPWR},
    Name{"SIGSYS", SIGSYS},
};

// The kernel's real-time signals go from 32; the libc keeps two for itself, so by name they start
// at 34.
constexpr int kRtMin = 34;
constexpr int kRtMax = 64;

}  // namespace

std::optional<int> parse_signal(std::string_view text) {
  if (const auto number = parse_number<int>(text))
    return *number >= 0 && *number <= kRtMax ? number : std::nullopt;
  std::string name(text);
  std::transform(name.begin(), name.end(), name.begin(),
                 [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
  if (!name.starts_with("SIG")) name = "SIG" + name;
  for (const Name& signal : kSignals)
    if (signal.text == name) return signal.number;
  const bool from_max = name.starts_with("SIGRTMAX");
  if (!from_max && !name.starts_with("SIGRTMIN")) return std::nullopt;
  const std::string_view offset = std::string_view(name).substr(8);
  if (offset.empty()) return from_max ? kRtMax : kRtMin;
  const auto count = parse_number<int>(offset.substr(1));
  if (!count || offset[0] != (from_max ? '-' : '+') || *count < 0 || *count > kRtMax - kRtMin)
    return std::nullopt;
  return from_max ? kRtMax - *count : kRtMin + *count;
}

std::string_view signal_name(int signal) {
  for (const Name& known : kSignals)
    if (known.number == signal) return known.text;
  return {};
}

}  // namespace hull
