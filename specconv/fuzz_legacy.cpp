// Any text as a container.json: what is accepted becomes a config.json that can be parsed.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "libruntime/system/error.h"
#include "specconv/legacy.h"
#include "specconv/parse.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  hull::specconv::legacy::Container container;
  try {
    container = hull::specconv::legacy::parse(text);
  } catch (const hull::Error&) {
    return 0;
  }
  try {
    (void)hull::specconv::parse(
        hull::specconv::legacy::to_config_json(container, {"rootfs", {"sh"}, {}}));
  } catch (const hull::Error&) {
    std::abort();
  }
  return 0;
}
