#include "libruntime/system/users.h"

#include "libruntime/system/text.h"

namespace hull {
namespace {

// Field `index` of the first entry of this user (passwd(5)):
// name:password:uid:gid:gecos:home:shell.
std::optional<std::string> field_of(std::string_view passwd, uid_t uid, size_t index) {
  for (const std::string_view line : split(passwd, '\n')) {
    const auto parts = split(line, ':');
    if (parts.size() > index && parts.size() > 2 && parse_number<uid_t>(parts[2]) == uid)
      return std::string(parts[index]);
  }
  return std::nullopt;
}

}  // namespace

std::optional<std::string> home_of(std::string_view passwd, uid_t uid) {
  return field_of(passwd, uid, 5);
}

std::optional<std::string> name_of(std::string_view passwd, uid_t uid) {
  return field_of(passwd, uid, 0);
}

}  // namespace hull
