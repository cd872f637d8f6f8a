#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace hull::conformance {

using Json = nlohmann::json;

struct Difference {
  std::string at;  // "mounts./proc.type"
  Json wanted;
  Json seen;
};

// Where `seen` is not what a case expects. An object names what must be there, and may leave out
// the rest; null: must not be there; a list or scalar must be equal. And the operators:
//   !has [a, b]   a list with such entries among others, or a text with these parts
//   !lacks [a]    the opposite of each
//   !set [a, b]   a list of these, in any order
//   !re "^a"      a text that the expression (ECMAScript) finds something in
//   !not X        anything but X
//   !any          there, whatever it is
//   !ge N, !le N  a number, or the text of one, not below, not above
//   !all [X, Y]   X and Y
//   !host         what the same is on the host (given as `host`)
//   !differs      there, and not what it is on the host
std::vector<Difference> differences(const Json& wanted, const Json& seen, const Json& host = Json(),
                                    const std::string& at = "");

// Whether the expectation asks for `host`.
bool asks_for_host(const Json& wanted);

}  // namespace hull::conformance
