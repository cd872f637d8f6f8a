#include "libruntime/system/fd.h"

#include <fcntl.h>
#include <sys/resource.h>

#include <algorithm>
#include <cerrno>

#include "libruntime/system/syscalls.h"

namespace hull {
namespace {

#ifdef __SANITIZE_THREAD__
constexpr bool kThreadSanitizer = true;
#else
constexpr bool kThreadSanitizer = false;
#endif

}  // namespace

void FdCloseBatch::add(int fd) noexcept {
  if (count_ == waiting_.size()) close_all();
  waiting_[count_++] = fd;
}

void FdCloseBatch::close_all() noexcept {
  const auto end = waiting_.begin() + static_cast<std::ptrdiff_t>(count_);
  std::sort(waiting_.begin(), end);
  for (auto first = waiting_.begin(); first != end;) {
    auto last = first;
    while (last + 1 != end && *(last + 1) == *last + 1) ++last;
    // Linux before 5.9 has no close_range, and ThreadSanitizer doesn't know that it closes.
    if (kThreadSanitizer ||
        sys::close_range(static_cast<unsigned>(*first), static_cast<unsigned>(*last), 0) != 0)
      std::for_each(first, last + 1, [](int fd) { ::close(fd); });
    first = last + 1;
  }
  count_ = 0;
}

bool close_from(unsigned first, unsigned flags) noexcept {
  if (sys::close_range(first, ~0U, flags) == 0) return true;
  // Linux before 5.9 has no close_range, and 5.9 and 5.10 not this flag.
  if (errno != ENOSYS && errno != EINVAL) return false;
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return false;
  for (int fd = static_cast<int>(first); static_cast<rlim_t>(fd) < limit.rlim_cur; ++fd) {
    if (flags == 0)
      ::close(fd);
    else if (fcntl(fd, F_SETFD, FD_CLOEXEC) != 0 && errno != EBADF)
      return false;
  }
  return true;
}

}  // namespace hull
