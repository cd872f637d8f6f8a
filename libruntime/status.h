#pragma once

#include "libruntime/state/state.h"

namespace hull {

using state::State;
using state::Status;
using state::status_name;

}  // namespace hull
