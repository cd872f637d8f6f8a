#include "specconv/features.h"

#include "cmd/hull/command.h"

namespace hull::cmd {
namespace {

int features(const Context&) {
  print(specconv::features_json() + "\n");
  return 0;
}

}  // namespace

extern constexpr Command features_command{
    "features",
    "show the enabled features",
    "",
    "Prints what this runtime can do as JSON. The type is defined in\n"
    "https://github.com/opencontainers/runtime-spec/blob/main/features.md",
    {},
    0,
    0,
    Positionals::mixed,
    features};

}  // namespace hull::cmd
