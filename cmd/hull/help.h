#pragma once

#include <span>
#include <string>
#include <string_view>

#include "cmd/hull/command.h"

namespace hull::cmd {

// What the program is, in paragraphs.
std::string_view about();

// The text of `hull --help`, in the layout of urfave/cli.
std::string help_of_program(std::string_view program, std::span<const Command* const> commands);

// The text of `hull COMMAND --help`.
std::string help_of_command(std::string_view program, const Command& command);

// The text of `hull --version`.
std::string version_text();

}  // namespace hull::cmd
