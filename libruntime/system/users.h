#pragma once

#include <sys/types.h>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace hull {

// The home directory of `uid` in the text of an /etc/passwd (passwd(5)); the first entry counts.
std::optional<std::string> home_of(std::string_view passwd, uid_t uid);

// The name of `uid`.
std::optional<std::string> name_of(std::string_view passwd, uid_t uid);

struct UserIds {
  uid_t uid = 0;
  gid_t gid = 0;
  std::vector<gid_t> groups;  // without gid
};

// "user", "uid", "user:group" or "uid:gid" by the texts of /etc/passwd and group(5). A number is
// never a name (CVE-2016-3697) and needs no entry; one without an entry has group 0. A group that
// is named is the only one, else the user's supplementary groups come, too. Throws Error: no such
// entry, or a number beyond 2147483647.
UserIds find_user(std::string_view passwd, std::string_view group, std::string_view wanted);

// The numbers of groups by name or number, each once. Throws Error.
std::vector<gid_t> find_groups(std::string_view group, const std::vector<std::string>& wanted);

}  // namespace hull
