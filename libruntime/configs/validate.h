#pragma once

#include "libruntime/configs/config.h"

namespace hull::configs {

// What no container can be made from, wherever the configuration came from; specconv has found all
// of it in a config.json already, with more. Throws Error of kind config_invalid for the first
// thing, with the field as config.json names it.
void validate(const Config& config);

}  // namespace hull::configs
