#pragma once

#include "libruntime/configs/config.h"
#include "libruntime/plan/hooks.h"
#include "libruntime/system/fd.h"

namespace hull::launch {

// The files that hooks write to instead of into our errors: the annotations run.oci.hooks.stdout
// and run.oci.hooks.stderr, as in crun. They are appended to; a relative path starts in the bundle.
class HookFiles {
 public:
  // Opens those that are asked for; without annotations nothing happens. Throws Error.
  static HookFiles open(const configs::Config& config);

  [[nodiscard]] plan::HookOutput output() const { return {out_.get(), err_.get()}; }

 private:
  Fd out_, err_;
};

// poststop: runs them all; a failure, of the files too, is a warning.
void run_poststop_hooks(const configs::Config& config, const std::string& id);

}  // namespace hull::launch
