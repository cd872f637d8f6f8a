#pragma once

#include <optional>
#include <string>
#include <vector>

#include "cmd/hull/command.h"
#include "cmd/hull/legacy_container.h"
#include "libruntime/container.h"

namespace hull::cmd {

// The container of this directory, when its init lives; by the pid file, as nsinit's callers know
// it, and by our own state, which the container can't change. Throws Error when the two disagree.
std::optional<Container> find_legacy_container(const Globals& globals,
                                               const std::string& directory);

// Runs a program in the container of this directory; makes the container when there is none, and
// deletes it when the program has ended. Gives the program's exit status. Throws Error.
int exec_legacy(const Globals& globals, const LegacyContainer& legacy,
                std::vector<std::string> args);

}  // namespace hull::cmd
