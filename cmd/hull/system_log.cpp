#include "cmd/hull/system_log.h"

#include <sys/socket.h>
#include <sys/un.h>
#include <syslog.h>

#include <cerrno>
#include <cstdint>
#include <cstring>

#include "libruntime/system/error.h"

namespace hull::cmd {
namespace {

constexpr char kJournal[] = "/run/systemd/journal/socket";
constexpr char kSyslog[] = "/dev/log";

int priority_of(log::Level level) {
  switch (level) {
    case log::Level::debug:
      return LOG_DEBUG;
    case log::Level::info:
      return LOG_INFO;
    case log::Level::warning:
      return LOG_WARNING;
    case log::Level::error:
      return LOG_ERR;
  }
  return LOG_ERR;
}

// systemd's JOURNAL_NATIVE_PROTOCOL: a value with line ends goes with its length, 64 bits little
// endian.
void append_field(std::string& out, std::string_view name, std::string_view value) {
  out += name;
  if (value.find('\n') == std::string_view::npos) {
    out.append("=").append(value).append("\n");
    return;
  }
  out += '\n';
  uint64_t size = value.size();
  for (int i = 0; i < 8; ++i, size >>= 8) out += static_cast<char>(size & 0xff);
  out.append(value).append("\n");
}

}  // namespace

Fd connect_system_log(SystemLog kind) {
  const char* path = kind == SystemLog::journald ? kJournal : kSyslog;
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::strcpy(address.sun_path, path);
  Fd socket(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  if (!socket ||
      connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0)
    throw Error("cannot connect to the log at " + quote(path), "connect", errno);
  return socket;
}

std::string system_log_entry(SystemLog kind, std::string_view ident, log::Level level,
                             std::string_view message) {
  const int priority = priority_of(level);
  if (kind == SystemLog::syslog)
    return "<" + std::to_string(LOG_DAEMON | priority) + ">" + std::string(ident) + ": " +
           std::string(message);
  std::string out;
  append_field(out, "PRIORITY", std::to_string(priority));
  append_field(out, "SYSLOG_IDENTIFIER", ident);
  append_field(out, "MESSAGE", message);
  return out;
}

}  // namespace hull::cmd
