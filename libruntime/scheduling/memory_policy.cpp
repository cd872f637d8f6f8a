#include "libruntime/scheduling/memory_policy.h"

#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>

#include "libruntime/system/error.h"

namespace hull::scheduling {

void set_memory_policy(const configs::MemoryPolicy& policy) {
  const bool any = !policy.nodes.empty();
  // The kernel takes one bit less than it is told.
  const unsigned long bits = any ? policy.nodes.size() * 64 + 1 : 0;
  const void* nodes = any ? policy.nodes.data() : nullptr;
  if (syscall(SYS_set_mempolicy, policy.mode | policy.flags, nodes, bits) == 0) return;
  const int code = errno;
  throw Error("cannot set the memory policy", "set_mempolicy", code)
      .field("/linux/memoryPolicy")
      .hint(code == EINVAL ? "are there memory nodes in it that the container may not use, or a "
                             "mode or flag that this kernel lacks?"
                           : "");
}

}  // namespace hull::scheduling
