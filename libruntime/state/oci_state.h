#pragma once

#include <sys/types.h>

#include <optional>
#include <string>
#include <string_view>

#include "libruntime/state/state.h"

namespace hull::state {

// The bundle among a configuration's labels.
std::string bundle_of(const configs::Config& config);
// An annotation of config.json; they are labels, too.
std::optional<std::string> annotation_of(const configs::Config& config, std::string_view name);

// The state that hooks and seccomp listeners get (runtime.md#state): ociVersion, id, status, pid,
// bundle, annotations. `pid` is JSON text: a number, or a mark to be replaced later.
std::string spec_state(const configs::Config& config, const std::string& id,
                       std::string_view status, std::string_view pid);

// What a seccomp listener gets with the descriptor (config-linux.md#containerprocessstate): of
// process `pid`, in the container whose init is `init_pid`, perhaps the same.
std::string listener_state(const configs::Config& config, const std::string& id, pid_t pid,
                           pid_t init_pid);

// The output of `state`: runc's keys in runc's order, indented by two blanks.
std::string query_state(const State& state, Status status, std::string_view owner);

}  // namespace hull::state
