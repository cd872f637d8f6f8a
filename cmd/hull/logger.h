#pragma once

#include <ctime>
#include <optional>
#include <string>
#include <string_view>

#include "libruntime/system/log.h"

// Where hull::log writes: stderr or --log's file, in logrus' two formats, which containerd, dockerd
// and podman parse.
namespace hull::cmd {

enum class LogFormat { text, json };

void set_log_format(LogFormat format);

// From now on to "PATH" or "file:PATH" (appended to, made), "journald:IDENT" or "syslog:IDENT".
// Throws hull::Error.
void open_log(const std::string& target);

// "error", "warning" ("warn"), "info", "debug"; nothing for anything else.
std::optional<log::Level> parse_log_level(std::string_view name);

// Connects hull::log with this. First of all: errors of the options are logged, too.
void start_logger();

// The error that ends this process: to the log and, when that is a file, to stderr as well.
void log_fatal(std::string_view message);

// One line with its end. `local_time`: RFC 3339 ("2026-11-22T23:19:56Z").
std::string log_line(LogFormat format, log::Level level, std::string_view message,
                     std::string_view local_time);

// The time in the local time zone, RFC 3339, seconds.
std::string rfc3339(time_t time);

// A Go string literal (strconv.Quote): what can't be printed is escaped.
std::string go_quoted(std::string_view text);

}  // namespace hull::cmd
