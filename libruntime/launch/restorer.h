#pragma once

#include "libruntime/checkpoint/options.h"
#include "libruntime/launch/launcher.h"

namespace hull::launch {

// From the images of a checkpoint to a running container: like create_container, with CRIU in
// hull-init's place. Of `request.process` only the terminal counts. When it fails nothing is left.
void restore_container(const Request& request, const CriuOptions& options, Started& started);

}  // namespace hull::launch
