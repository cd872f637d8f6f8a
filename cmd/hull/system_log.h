#pragma once

#include <string>
#include <string_view>

#include "libruntime/system/fd.h"
#include "libruntime/system/log.h"

// The system's own logs, as crun's --log names them: "journald:IDENT" and "syslog:IDENT".
namespace hull::cmd {

enum class SystemLog { journald, syslog };

// A socket to it. Throws Error when there is none on this host.
Fd connect_system_log(SystemLog kind);

// One message for it: systemd's native journal protocol, or the line of RFC 3164 without a host.
std::string system_log_entry(SystemLog kind, std::string_view ident, log::Level level,
                             std::string_view message);

}  // namespace hull::cmd
