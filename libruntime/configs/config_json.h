#pragma once

#include <rapidjson/fwd.h>

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>

#include "libruntime/configs/config.h"

// A Config as the "config" object of runc's state.json: the same keys and shapes, so that runc (1.1
// and later) and readers such as cAdvisor understand what we write, and we what they write.
namespace hull::configs {

// As compact text: one pass, no tree; bytes that are no UTF-8 become U+FFFD. This is the hot path
// of `create`.
std::string config_to_json(const Config& config);
// As a tree.
void config_to_json(const Config& config, nlohmann::json& out);

// Reads over `out`. Absent and null members leave the defaults, members that a Config does not have
// are skipped. Throws Error when one has a wrong type, a number out of its range or an unknown
// name.
void config_from_json(const rapidjson::Value& in, Config& out);
// The same from text.
Config config_from_text(std::string_view text);

}  // namespace hull::configs
