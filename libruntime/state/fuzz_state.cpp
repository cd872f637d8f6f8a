#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "libruntime/state/state.h"
#include "libruntime/system/error.h"

// libFuzzer: any text as state.json. Nothing but hull::Error may come out; what is taken is written
// and read again unchanged, and never names a process or a directory that a command must not touch.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using hull::state::from_json;
  using hull::state::State;
  using hull::state::to_json;
  try {
    const State state = from_json({reinterpret_cast<const char*>(data), size});
    if (state.init_pid < 0 || state.init_pid == 1) std::abort();
    for (const auto& [controller, path] : state.cgroup_paths)
      if (!path.starts_with('/') || (path + '/').find("/../") != std::string::npos) std::abort();
    const std::string text = to_json(state);
    if (to_json(from_json(text)) != text) std::abort();
  } catch (const hull::Error&) {
  }
  return 0;
}
