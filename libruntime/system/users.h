#pragma once

#include <sys/types.h>

#include <optional>
#include <string>
#include <string_view>

namespace hull {

// The home directory of `uid` in the text of an /etc/passwd (passwd(5)); the first entry counts.
std::optional<std::string> home_of(std::string_view passwd, uid_t uid);

// The name of `uid`.
std::optional<std::string> name_of(std::string_view passwd, uid_t uid);

}  // namespace hull
