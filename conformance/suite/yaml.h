#pragma once

#include <nlohmann/json.hpp>
#include <string>

namespace hull::conformance {

using Json = nlohmann::json;

// A YAML file as JSON. A plain scalar becomes null, a bool, an integer (also 0o644, 0x1f) or a
// string, a quoted one a string; "!tag VALUE" becomes {"!tag": VALUE}. Throws Error with the place.
Json read_yaml(const std::string& path);
Json parse_yaml(const std::string& text);

}  // namespace hull::conformance
