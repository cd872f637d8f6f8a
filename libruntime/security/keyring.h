#pragma once

#include <cstdint>
#include <string>

// Session keyrings (session-keyring(7)).
namespace hull::security {

// Replaces the caller's session keyring by the one of this name ("_ses.ID"), new or existing, and
// returns its serial number. 0, with a warning, when there are no keyrings (ENOSYS: a kernel
// without them, or a seccomp profile around hull). Throws Error.
int32_t join_session_keyring(const std::string& name);

// Adds the right to search the keyring, which programs in the container need to find their keys:
// for its user, or for everybody in a user namespace, where the user is another one. Throws Error.
void allow_keyring_search(int32_t keyring, bool user_namespace);

}  // namespace hull::security
