#pragma once

#include <string>
#include <vector>

#include "specconv/node.h"

// What the legacy*.cpp files have of each other.
namespace hull::specconv::legacy {

// The capabilities that a container.json leaves its program, in whichever way it tells them.
void read_capabilities(const Node& container, std::vector<std::string>& kept);

}  // namespace hull::specconv::legacy
