#pragma once

#include <functional>
#include <nlohmann/json.hpp>
#include <string>

namespace hull::conformance {

using Json = nlohmann::json;

// Changes `target` as JSON Merge Patch (RFC 7396) says: objects are merged, null removes, all else
// replaces. And for lists, which a merge patch can only replace:
//   "mounts+": [...]   appends
//   "mounts-": ["/dev/shm"]   removes the entries whose value, or whose "destination", "type" or
//                             "path", is one of these
// "!null" in place of a value puts a null there.
void apply_patch(Json& target, const Json& patch);

// Replaces "${name}" in all strings and keys by what `value_of` gives. A string that is only that
// becomes the value itself, of any type. Names that it does not know (it gives a discarded value)
// stay as they are.
Json substitute(const Json& text, const std::function<Json(const std::string&)>& value_of);

}  // namespace hull::conformance
