#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "libruntime/configs/config_json.h"
#include "libruntime/system/error.h"
#include "specconv/convert.h"
#include "specconv/parse.h"
#include "specconv/validate.h"

// libFuzzer: any text as config.json, down to the "config" of state.json and back; then the same
// bytes as a state.json. Nothing but hull::Error may come out, and JSON must survive the round
// trip.
namespace {

using hull::configs::Config;
using hull::configs::config_from_text;
using hull::configs::config_to_json;

void must_survive(const Config& config) {
  const std::string text = config_to_json(config);
  if (config_to_json(config_from_text(text)) != text) std::abort();
}

void as_config_json(std::string_view text) {
  hull::specconv::Options options;
  options.id = "fuzz";
  options.bundle = "/bundle";
  try {
    const hull::specconv::Spec spec = hull::specconv::parse(text);
    hull::specconv::validate(spec);
    const Config config = hull::specconv::convert(spec, options);
    if (spec.process) (void)hull::specconv::to_process(*spec.process);
    must_survive(config);
  } catch (const hull::Error&) {
  }
}

void as_state_json(std::string_view text) {
  try {
    must_survive(config_from_text(text));
  } catch (const hull::Error&) {
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  as_config_json(text);
  as_state_json(text);
  return 0;
}
