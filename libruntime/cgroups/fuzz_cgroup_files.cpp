#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "libruntime/cgroups/layout.h"
#include "libruntime/cgroups/paths.h"
#include "libruntime/cgroups/stat_files.h"
#include "libruntime/system/error.h"

namespace {

using namespace hull;
using namespace hull::cgroups;

Layout hybrid() {
  return {Mode::hybrid,
          {{"cpu", {"cpu", "cpuacct"}, "/sys/fs/cgroup/cpu,cpuacct", "/"},
           {"name=systemd", {}, "/sys/fs/cgroup/systemd", "/"},
           {"", {}, "/sys/fs/cgroup/unified", "/a"}}};
}

// The text's first line is config.json's cgroupsPath, the rest is /proc/self/cgroup.
void paths(std::string_view text, const Layout& layout) {
  const size_t line = text.find('\n');
  configs::Cgroup config;
  config.path = text.substr(0, line);
  const std::string_view own = line == std::string_view::npos ? "" : text.substr(line + 1);
  try {
    // They are written to, and removed with all that is below.
    for (const auto& [controller, path] : container_paths(config, layout, own))
      if (!inside_hierarchy(layout, path)) std::abort();
  } catch (const Error&) {
  }
}

}  // namespace

// libFuzzer: any text as mountinfo, as the paths of cgroups and as the files that statistics come
// from.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  (void)parse_layout(text);
  paths(text, hybrid());
  paths(text, {Mode::v2, {{"", {}, "/sys/fs/cgroup", "/"}}});
  (void)value_of(parse_flat(text), "usage_usec");
  (void)parse_numbers(text);
  (void)parse_list(text);
  (void)parse_block_lines(text);
  (void)parse_pressure(text);
  (void)parse_rdma(text);
  (void)page_sizes({std::string(text)}, "max");
  return 0;
}
