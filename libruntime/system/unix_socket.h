#pragma once

#include <string>
#include <string_view>

namespace hull {

// Connects to the AF_UNIX stream socket at `path` and sends `payload` with descriptor `fd` beside
// it (SCM_RIGHTS, unix(7)). Throws Error.
void send_fd(const std::string& path, int fd, std::string_view payload);

}  // namespace hull
