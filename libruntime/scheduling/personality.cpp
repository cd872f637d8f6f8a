#include "libruntime/scheduling/personality.h"

#include <sys/personality.h>

#include <cerrno>

#include "libruntime/system/error.h"

namespace hull::scheduling {

void set_personality(int domain) {
  if (personality(static_cast<unsigned long>(domain)) < 0)
    throw Error("cannot set the execution domain", "personality", errno)
        .field("/linux/personality");
}

}  // namespace hull::scheduling
