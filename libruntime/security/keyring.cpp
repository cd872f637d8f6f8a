#include "libruntime/security/keyring.h"

#include <linux/keyctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <optional>
#include <string_view>

#include "libruntime/system/error.h"
#include "libruntime/system/log.h"
#include "libruntime/system/text.h"

namespace hull::security {
namespace {

// KEY_USR_SEARCH and KEY_OTH_SEARCH of the kernel, keyctl_setperm(3).
constexpr uint32_t kUserSearch = 0x00080000;
constexpr uint32_t kOtherSearch = 0x00000008;

long keyctl(int operation, auto... arguments) {
  return syscall(SYS_keyctl, operation, arguments...);
}

// The permissions in "type;uid;gid;permissions;name".
std::optional<uint32_t> permissions_in(std::string_view description) {
  for (int skip = 0; skip < 3; ++skip) {
    const size_t at = description.find(';');
    if (at == std::string_view::npos) return std::nullopt;
    description.remove_prefix(at + 1);
  }
  return parse_number<uint32_t>(description.substr(0, description.find(';')), 16);
}

uint32_t permissions_of(int32_t keyring) {
  // The kernel gives all or nothing (keyctl(2)); the name is at most a container id and a prefix.
  std::array<char, 4096> text{};
  const long length = keyctl(KEYCTL_DESCRIBE, keyring, text.data(), text.size());
  if (length < 0)
    throw Error("cannot read the permissions of the session keyring", "keyctl(KEYCTL_DESCRIBE)",
                errno);
  if (static_cast<size_t>(length) > text.size())
    throw Error("cannot read the permissions of the session keyring: its name is too long");
  const auto permissions =
      permissions_in(std::string_view(text.data(), static_cast<size_t>(length)));
  if (!permissions) throw Error("cannot read the permissions of the session keyring");
  return *permissions;
}

}  // namespace

int32_t join_session_keyring(const std::string& name) {
  const long keyring = keyctl(KEYCTL_JOIN_SESSION_KEYRING, name.c_str());
  if (keyring >= 0) return static_cast<int32_t>(keyring);
  const int code = errno;
  if (code == ENOSYS) {
    log::warning(
        "no new session keyring: the kernel has no keyrings, or a seccomp profile hides them");
    return 0;
  }
  Error error("cannot join the session keyring " + quote(name),
              "keyctl(KEYCTL_JOIN_SESSION_KEYRING)", code);
  if (code == EDQUOT || code == ENOMEM)
    error.set_hint(
        "the user's quota of keys is used up (/proc/sys/kernel/keys/maxkeys); "
        "--no-new-keyring does without");
  else
    error.set_hint("--no-new-keyring does without");
  throw error;
}

void allow_keyring_search(int32_t keyring, bool user_namespace) {
  const uint32_t wanted = user_namespace ? kOtherSearch : kUserSearch;
  const uint32_t now = permissions_of(keyring);
  if ((now & wanted) == wanted) return;
  if (keyctl(KEYCTL_SETPERM, keyring, now | wanted) != 0)
    throw Error("cannot set the permissions of the session keyring", "keyctl(KEYCTL_SETPERM)",
                errno)
        .hint("--no-new-keyring does without");
}

}  // namespace hull::security
