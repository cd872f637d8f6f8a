#include "cmd/hull/logger.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cerrno>

#include "cmd/hull/json_text.h"
#include "cmd/hull/system_log.h"
#include "libruntime/system/error.h"
#include "libruntime/system/fd.h"
#include "libruntime/system/files.h"

namespace hull::cmd {
namespace {

struct LevelName {
  std::string_view name;
  log::Level level;
};

// The first name of a level is what logrus prints.
constexpr std::array kLevels{
    LevelName{"debug", log::Level::debug},     LevelName{"info", log::Level::info},
    LevelName{"warning", log::Level::warning}, LevelName{"error", log::Level::error},
    LevelName{"warn", log::Level::warning},
};

// Plain values: nothing of this may need a constructor at start. The file stays open to the end.
LogFormat log_format = LogFormat::text;
int log_fd = STDERR_FILENO;
// Where log_fd leads to, when it is no file; with the name that our messages have there.
constexpr size_t kMaxIdent = 64;
bool is_system_log = false;
SystemLog system_log{};
char ident[kMaxIdent + 1] = "";

std::string_view level_name(log::Level level) {
  return std::find_if(kLevels.begin(), kLevels.end(),
                      [&](const LevelName& one) { return one.level == level; })
      ->name;
}

// A log that can't be written (a full disk, a closed pipe) must not stop the work.
void write_quietly(int fd, std::string_view line) {
  while (!line.empty()) {
    const ssize_t wrote = write(fd, line.data(), line.size());
    if (wrote < 0 && errno == EINTR) continue;
    if (wrote <= 0) return;
    line.remove_prefix(static_cast<size_t>(wrote));
  }
}

void sink(log::Level level, std::string_view message) {
  if (is_system_log) {
    const std::string entry = system_log_entry(system_log, ident, level, message);
    (void)send(log_fd, entry.data(), entry.size(), MSG_NOSIGNAL);  // as in write_quietly
    return;
  }
  write_quietly(log_fd, log_line(log_format, level, message, rfc3339(time(nullptr))));
}

// logrus' rule for a value that may stand without quotes.
bool needs_quotes(std::string_view text) {
  return !std::all_of(text.begin(), text.end(), [](unsigned char c) {
    return (c < 0x80 && std::isalnum(c) != 0) ||
           std::string_view("-._/@^+").find(static_cast<char>(c)) != std::string_view::npos;
  });
}

// Code points that would change how a terminal shows the rest: C1 controls, line ends, bidi marks.
bool is_invisible(char32_t value) {
  return (value >= 0x80 && value < 0xa0) || value == 0xad || (value >= 0x200b && value <= 0x200f) ||
         (value >= 0x2028 && value <= 0x202e) || (value >= 0x2060 && value <= 0x206f) ||
         value == 0xfeff || value >= 0xe0000;
}

void append_hex(std::string& out, std::string_view prefix, char32_t value, int digits) {
  out += prefix;
  for (int shift = (digits - 1) * 4; shift >= 0; shift -= 4)
    out += "0123456789abcdef"[value >> shift & 15];
}

std::string_view short_escape(char c) {
  switch (c) {
    case '"':
      return "\\\"";
    case '\\':
      return "\\\\";
    case '\a':
      return "\\a";
    case '\b':
      return "\\b";
    case '\f':
      return "\\f";
    case '\n':
      return "\\n";
    case '\r':
      return "\\r";
    case '\t':
      return "\\t";
    case '\v':
      return "\\v";
    default:
      return {};
  }
}

}  // namespace

std::string go_quoted(std::string_view text) {
  std::string out = "\"";
  while (!text.empty()) {
    const size_t length = std::max<size_t>(utf8_length(text), 1);
    const std::string_view one = text.substr(0, length);
    const auto byte = static_cast<unsigned char>(one[0]);
    if (const std::string_view known = short_escape(one[0]); !known.empty())
      out += known;
    else if (byte < 0x20 || byte == 0x7f || utf8_length(text) == 0)
      append_hex(out, "\\x", byte, 2);
    else if (const char32_t value = utf8_value(one); is_invisible(value))
      append_hex(out, value > 0xffff ? "\\U" : "\\u", value, value > 0xffff ? 8 : 4);
    else
      out += one;
    text.remove_prefix(length);
  }
  return out + "\"";
}

std::string rfc3339(time_t time) {
  tm local{};
  if (localtime_r(&time, &local) == nullptr) return "1970-01-01T00:00:00Z";
  char text[40];
  const size_t length = strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S", &local);
  std::string out(text, length);
  if (local.tm_gmtoff == 0) return out + "Z";
  const long minutes = std::abs(local.tm_gmtoff) / 60;
  const auto two = [](long n) { return std::string{char('0' + n / 10 % 10), char('0' + n % 10)}; };
  return out + (local.tm_gmtoff < 0 ? "-" : "+") + two(minutes / 60) + ":" + two(minutes % 60);
}

std::string log_line(LogFormat format, log::Level level, std::string_view message,
                     std::string_view local_time) {
  std::string out;
  if (format == LogFormat::json) {
    out.append("{\"level\":\"").append(level_name(level)).append("\",\"msg\":");
    out.append(json_quoted(message)).append(",\"time\":\"").append(local_time).append("\"}\n");
  } else {
    out.append("time=\"").append(local_time).append("\" level=").append(level_name(level));
    out.append(" msg=").append(needs_quotes(message) ? go_quoted(message) : std::string(message));
    out.append("\n");
  }
  return out;
}

std::optional<log::Level> parse_log_level(std::string_view name) {
  for (const LevelName& one : kLevels)
    if (one.name == name) return one.level;
  return std::nullopt;
}

void set_log_format(LogFormat format) { log_format = format; }

void open_log(const std::string& target) {
  const size_t colon = target.find(':');
  const std::string kind = target.substr(0, colon == std::string::npos ? 0 : colon);
  const std::string rest = target.substr(colon + 1);
  if (kind == "journald" || kind == "syslog") {
    system_log = kind == "syslog" ? SystemLog::syslog : SystemLog::journald;
    log_fd = connect_system_log(system_log).release();
    ident[rest.copy(ident, kMaxIdent)] = '\0';
    is_system_log = true;
    return;
  }
  const std::string& path = kind == "file" ? rest : target;
  log_fd = open_or_throw(AT_FDCWD, path, O_WRONLY | O_APPEND | O_CREAT, 0644).release();
}

void start_logger() { log::set_sink(sink); }

void log_fatal(std::string_view message) {
  log::error(message);
  if (log_fd != STDERR_FILENO) write_quietly(STDERR_FILENO, std::string(message) + "\n");
}

}  // namespace hull::cmd
