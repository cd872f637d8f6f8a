#pragma once

#include "cmd/hull/options.h"
#include "libruntime/checkpoint/options.h"

namespace hull::cmd {

// What the command line of `checkpoint` or `restore` says to CRIU; options that only one of them
// has are passed over for the other. Relative paths start in the working directory, except the
// parent images', which start in the images' directory. Throws Error.
CriuOptions criu_options(const Options& options);

}  // namespace hull::cmd
