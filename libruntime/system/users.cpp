#include "libruntime/system/users.h"

#include <algorithm>
#include <limits>

#include "libruntime/system/error.h"
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

constexpr auto kMaxId = static_cast<uint32_t>(std::numeric_limits<int32_t>::max());

// The number that `text` is; nothing when it is a name.
std::optional<uint32_t> id_of(std::string_view text) {
  if (text.empty() || text.find_first_not_of("0123456789") != std::string_view::npos)
    return std::nullopt;
  const auto id = parse_number<uint32_t>(text);
  if (!id || *id > kMaxId) throw Error("uids and gids must be in range 0-2147483647");
  return id;
}

// Fields of the first entry with this name, or with this number in its third field.
std::vector<std::string_view> entry_of(std::string_view file, std::string_view name,
                                       std::optional<uint32_t> id) {
  for (const std::string_view line : split(file, '\n')) {
    auto parts = split(line, ':');
    if (parts.size() < 4) continue;
    if (id ? parse_number<uint32_t>(parts[2]) == id : parts[0] == name) return parts;
  }
  return {};
}

uint32_t number_in(const std::vector<std::string_view>& entry, size_t index) {
  const auto id = parse_number<uint32_t>(entry[index]);
  if (!id || *id > kMaxId) throw Error("uids and gids must be in range 0-2147483647");
  return *id;
}

gid_t find_group(std::string_view file, std::string_view wanted) {
  const auto id = id_of(wanted);
  if (id) return *id;
  const auto entry = entry_of(file, wanted, {});
  if (entry.empty())
    throw Error("unable to find group " + std::string(wanted) +
                ": no matching entries in group file");
  return number_in(entry, 2);
}

std::vector<gid_t> groups_with(std::string_view file, std::string_view user, gid_t primary) {
  std::vector<gid_t> out;
  for (const std::string_view line : split(file, '\n')) {
    const auto parts = split(line, ':');
    if (parts.size() < 4) continue;
    const auto members = split(parts[3], ',');
    if (std::find(members.begin(), members.end(), user) == members.end()) continue;
    const auto id = parse_number<gid_t>(parts[2]);
    if (id && *id <= kMaxId && *id != primary) out.push_back(*id);
  }
  return out;
}

}  // namespace

UserIds find_user(std::string_view passwd, std::string_view group, std::string_view wanted) {
  const size_t colon = wanted.find(':');
  const std::string_view user = wanted.substr(0, colon);
  const auto id = id_of(user);
  const auto entry = entry_of(passwd, user, id);
  if (entry.empty() && !id && !user.empty())
    throw Error("unable to find user " + std::string(user) +
                ": no matching entries in passwd file");
  UserIds out;
  if (!entry.empty()) {
    out.uid = number_in(entry, 2);
    out.gid = number_in(entry, 3);
  } else if (id) {
    out.uid = *id;
  }
  if (colon != std::string_view::npos && colon + 1 < wanted.size()) {
    out.gid = find_group(group, wanted.substr(colon + 1));
  } else if (!entry.empty()) {
    out.groups = groups_with(group, entry[0], out.gid);
  }
  return out;
}

std::vector<gid_t> find_groups(std::string_view group, const std::vector<std::string>& wanted) {
  std::vector<gid_t> out;
  for (const std::string& one : wanted) {
    const gid_t gid = find_group(group, one);
    if (std::find(out.begin(), out.end(), gid) == out.end()) out.push_back(gid);
  }
  return out;
}

std::optional<std::string> home_of(std::string_view passwd, uid_t uid) {
  return field_of(passwd, uid, 5);
}

std::optional<std::string> name_of(std::string_view passwd, uid_t uid) {
  return field_of(passwd, uid, 0);
}

}  // namespace hull
