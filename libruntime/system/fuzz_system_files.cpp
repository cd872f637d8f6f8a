#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "libruntime/system/mountinfo.h"
#include "libruntime/system/number_list.h"
#include "libruntime/system/process_stat.h"
#include "libruntime/system/text.h"
#include "libruntime/system/users.h"

// libFuzzer: any text as /proc/[pid]/mountinfo, as a container's /etc/passwd, as /proc/[pid]/stat
// and as a list of CPUs. These parsers have no error to throw.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace hull;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  for (const MountInfo& mount : parse_mountinfo(text)) {
    if (mount.fs_type.find('\n') != std::string::npos) std::abort();
    (void)has_option(mount.super_options, "rw");
  }
  for (const uid_t uid : {0U, 1000U, ~0U}) {
    const auto home = home_of(text, uid);
    if (home && home->find_first_of(":\n") != std::string::npos) std::abort();
    (void)name_of(text, uid);
  }
  if (const auto stat = parse_process_stat(text)) (void)stat->dead();
  if (const auto mask = parse_number_list(text); mask && mask->size() > kMaxListed / 64 + 1)
    std::abort();
  const std::string clean = clean_path(text);
  if (clean_path(clean) != clean) std::abort();
  if (clean.starts_with('/') && !path_is_below(clean, "/")) std::abort();
  return 0;
}
