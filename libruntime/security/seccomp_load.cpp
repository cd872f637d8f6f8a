#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>

#include "libruntime/security/seccomp.h"
#include "libruntime/system/error.h"

// What calls the kernel, apart from the compiler: hull-init needs only this part.
namespace hull::security {

bool seccomp_flag_supported(unsigned flag) {
  // The kernel wants some flags together with others.
  unsigned flags = flag;
  if (flag == SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV) flags |= SECCOMP_FILTER_FLAG_NEW_LISTENER;
  // Flags are checked before the program is read: EFAULT means that they are fine.
  return syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, nullptr) != 0 && errno == EFAULT;
}

Fd load(const configs::SeccompProgram& program) {
  // The kernel reads only: sock_fprog's pointer lacks the const.
  const auto* code = reinterpret_cast<const sock_filter*>(program.instructions.data());
  const sock_fprog fprog{static_cast<unsigned short>(program.instructions.size()),
                         const_cast<sock_filter*>(code)};
  const unsigned flags =
      program.flags | (program.notifies ? unsigned{SECCOMP_FILTER_FLAG_NEW_LISTENER} : 0U);
  const long result = syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, &fprog);
  if (result < 0) {
    Error error("cannot load the seccomp filter", "seccomp", errno);
    error.set_field("/linux/seccomp");
    if (error.code() == EACCES)
      error.set_hint("this needs noNewPrivileges or CAP_SYS_ADMIN");
    else if (error.code() == EBUSY)
      error.set_hint("a filter with SCMP_ACT_NOTIFY is active already: the kernel takes one only");
    else if (error.code() == EINVAL)
      error.set_hint("the kernel may be built without CONFIG_SECCOMP_FILTER");
    throw error;
  }
  return program.notifies ? Fd(static_cast<int>(result)) : Fd();
}

}  // namespace hull::security
