#pragma once

#include <string>

#include "specconv/spec.h"

namespace hull::specconv {

// What only the host can tell: the root file system exists and is a directory that is reached
// without a symbolic link (below the bundle, or from "/" when its path is absolute), and a network
// namespace that is joined is not the host's when the container sets net.* parameters. Throws
// hull::Error with the field.
void check_host(const Spec& spec, const std::string& bundle);

}  // namespace hull::specconv
