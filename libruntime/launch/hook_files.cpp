#include "libruntime/launch/hook_files.h"

#include <fcntl.h>

#include "libruntime/state/oci_state.h"
#include "libruntime/system/error.h"
#include "libruntime/system/files.h"
#include "libruntime/system/log.h"
#include "libruntime/system/text.h"

namespace hull::launch {
namespace {

Fd open_file(const configs::Config& config, const std::string& annotation) {
  const std::optional<std::string> path = state::annotation_of(config, annotation);
  if (!path || path->empty()) return Fd();
  try {
    return open_or_throw(AT_FDCWD,
                         path->starts_with('/') ? *path : state::bundle_of(config) + "/" + *path,
                         O_WRONLY | O_CREAT | O_APPEND, 0644);
  } catch (Error& e) {
    e.set_field("/annotations/" + annotation);
    throw;
  }
}

}  // namespace

HookFiles HookFiles::open(const configs::Config& config) {
  HookFiles out;
  out.out_ = open_file(config, "run.oci.hooks.stdout");
  out.err_ = open_file(config, "run.oci.hooks.stderr");
  return out;
}

void run_poststop_hooks(const configs::Config& config, const std::string& id) {
  if (config.hooks.poststop.empty()) return;
  HookFiles files;
  try {
    files = HookFiles::open(config);
  } catch (const Error& e) {
    log::warning(e.what());
  }
  plan::run_hooks_leniently(config.hooks.poststop, "poststop",
                            state::spec_state(config, id, "stopped", "0"), files.output());
}

}  // namespace hull::launch
