#pragma once

#include <sys/types.h>

#include "libruntime/system/fd.h"

namespace hull {

// A short-lived process that holds a user namespace: a new one whose maps can be written, or one
// that exists, whose maps can be read. It only waits, and is killed at the end of this object.
class UserNamespaceHolder {
 public:
  // In a new user namespace, a child of the caller's. Throws Error.
  UserNamespaceHolder() : UserNamespaceHolder(-1) {}
  // In the namespace of an nsfs descriptor; needs CAP_SYS_ADMIN in it. Throws Error.
  explicit UserNamespaceHolder(int to_join);
  ~UserNamespaceHolder();
  UserNamespaceHolder(const UserNamespaceHolder&) = delete;
  UserNamespaceHolder& operator=(const UserNamespaceHolder&) = delete;

  // O_PATH descriptor of its /proc/[pid]: "uid_map" and "gid_map" show the caller's IDs.
  [[nodiscard]] int directory() const { return directory_.get(); }

 private:
  pid_t pid_ = -1;
  Fd directory_;
};

}  // namespace hull
