#pragma once

#include <string_view>

#include "specconv/problem.h"
#include "specconv/spec.h"

// JSON text to typed values (runtime-spec 1.3.0). What is checked here is what a schema can say:
// types, ranges (no number is ever cut off or wrapped), required fields, names of enums; and that
// namespaces and rlimits come once. Unknown properties are ignored (config.md#extensibility), null
// is absent. Each throws hull::Error that tells all problems at once (see problem.h), or that the
// text is no JSON or out of bounds (see node.h).
namespace hull::specconv {

// A whole config.json.
Spec parse(std::string_view json_text);
// The same, as far as it can be understood: what is wrong is added to `problems`. Throws
// hull::Error when the text is no JSON.
Spec parse(std::string_view json_text, Problems& problems);

// A "process" object alone: `exec --process FILE`.
Process parse_process(std::string_view json_text);

// A "linux.resources" object alone: `update --resources FILE`.
Resources parse_resources(std::string_view json_text);

}  // namespace hull::specconv
