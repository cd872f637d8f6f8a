#include "libruntime/system/fd.h"

#include <algorithm>

#include "libruntime/system/syscalls.h"

namespace hull {

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
    // Linux before 5.9 has no close_range.
    if (sys::close_range(static_cast<unsigned>(*first), static_cast<unsigned>(*last), 0) != 0)
      std::for_each(first, last + 1, [](int fd) { ::close(fd); });
    first = last + 1;
  }
  count_ = 0;
}

}  // namespace hull
