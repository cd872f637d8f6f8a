#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "cmd/hull/byte_size.h"
#include "cmd/hull/duration.h"
#include "cmd/hull/id_pattern.h"
#include "cmd/hull/json_text.h"
#include "libruntime/security/seccomp_raw.h"
#include "libruntime/state/state.h"
#include "libruntime/system/error.h"

// libFuzzer: any text as a word of the command line: an ID, a size, a duration, a pattern, and as a
// text that is logged as JSON.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace hull;
  const std::string text(reinterpret_cast<const char*>(data), size);
  try {
    state::check_id(text);
    // It becomes a directory of the state root, and one that delete removes.
    if (text.empty() || text == "." || text == ".." || text.size() > 1024 ||
        text.find('/') != std::string::npos || text.find('\0') != std::string::npos)
      std::abort();
  } catch (const Error&) {
  }
  if (const auto bytes = cmd::parse_byte_size(text); bytes && *bytes < -1) std::abort();
  (void)cmd::parse_duration(text);
  const std::string quoted = cmd::json_quoted(text);
  if (quoted.size() < 2 || quoted.find('\n') != std::string::npos) std::abort();
  // regcomp(3) takes memory without bounds for repetitions of repetitions; the pattern is the
  // caller's own.
  const auto repeats = [](char c) {
    return std::string_view("*+?{").find(c) != std::string_view::npos;
  };
  if (std::ranges::count_if(text, repeats) < 4) {
    try {
      (void)cmd::matching_ids({"a", "box-1"}, text);
    } catch (const Error&) {
    }
  }
  try {
    (void)security::raw_program(text);
  } catch (const Error&) {
  }
  return 0;
}
