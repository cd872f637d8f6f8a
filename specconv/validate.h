#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "specconv/problem.h"
#include "specconv/spec.h"

// What runtime-spec 1.3.0 demands of a configuration beyond its types (config.md, config-linux.md),
// what the kernel would refuse later with less of an explanation, and what this runtime does not do
// yet: a field that nothing would act on is refused, never dropped. The host is not looked at
// (host_checks.h does that). Each throws hull::Error that tells all problems at once (problem.h).
namespace hull::specconv {

void validate(const Spec& spec);
// The same without throwing: what is wrong is added to `problems`.
void validate(const Spec& spec, Problems& problems);

// A process alone (`exec`), a set of limits alone (`update`): pointers start at the object itself.
void validate(const Process& process);
void validate(const Resources& resources);

// What is wrong with "NAME=value", in runc's words, or nothing. For `exec --env` too.
std::optional<std::string> env_problem(std::string_view entry);

}  // namespace hull::specconv
