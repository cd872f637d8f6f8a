#include "cmd/hull/help.h"

#include <seccomp.h>

#include <algorithm>
#include <utility>
#include <vector>

#include "libruntime/version.h"

#ifndef HULL_COMMIT
#define HULL_COMMIT "unknown"
#endif

namespace hull::cmd {
namespace {

constexpr std::string_view kAbout =
    "hull runs containers as the Open Container Initiative's runtime specification describes "
    "them.\n"
    "It takes the place of runc below containerd, Docker, Podman and CRI-O, and can be used by "
    "hand.\n\n"
    "A container is made from a bundle: a directory with a file named \"config.json\" and a root "
    "file\n"
    "system. To run one:\n\n"
    "    # hull run [ -b bundle ] <container-id>\n\n"
    "where \"<container-id>\" is a name of your choice that no other container on this host has. "
    "The\n"
    "default for \"bundle\" is the current directory.";

using Row = std::pair<std::string, std::string>;

// Two columns, the second one aligned.
std::string rows_text(const std::vector<Row>& rows) {
  size_t width = 0;
  for (const Row& row : rows) width = std::max(width, row.first.size());
  std::string out;
  for (const auto& [left, right] : rows)
    out.append("   ").append(left).append(width - left.size() + 2, ' ').append(right).append("\n");
  return out;
}

Row option_row(const Option& option) {
  const bool valued = option.kind != OptionKind::flag;
  std::string names = "--" + std::string(option.name) + (valued ? " value" : "");
  if (!option.short_name.empty())
    names.append(", -").append(option.short_name).append(valued ? " value" : "");
  std::string text(option.help);
  if (option.kind == OptionKind::text && !option.fallback.empty())
    text.append(" (default: \"").append(option.fallback).append("\")");
  if (option.kind == OptionKind::number && !option.fallback.empty())
    text.append(" (default: ").append(option.fallback).append(")");
  return {names, text};
}

std::vector<Row> option_rows(std::span<const Option> options) {
  std::vector<Row> out;
  for (const Option& option : options)
    if (!option.hidden) out.push_back(option_row(option));
  return out;
}

std::string base_name(std::string_view path) {
  return std::string(path.substr(path.rfind('/') + 1));
}

}  // namespace

std::string_view about() { return kAbout; }

std::string help_of_program(std::string_view program, std::span<const Command* const> commands) {
  std::vector<Row> command_rows;
  for (const Command* command : commands) command_rows.emplace_back(command->name, command->usage);
  command_rows.emplace_back("help, h", "Shows a list of commands or help for one command");
  std::vector<Row> options = option_rows(global_options());
  options.emplace_back("--help, -h", "show help");
  options.emplace_back("--version, -v", "print the version");

  return "NAME:\n   hull - Open Container Initiative runtime\n\n" + std::string(kAbout) +
         "\n\nUSAGE:\n   " + base_name(program) +
         " [global options] command [command options] [arguments...]\n\nVERSION:\n   " + kVersion +
         "\n\nCOMMANDS:\n" + rows_text(command_rows) + "\nGLOBAL OPTIONS:\n" + rows_text(options);
}

std::string help_of_command(std::string_view program, const Command& command) {
  const std::string name = base_name(program) + " " + std::string(command.name);
  const std::vector<Row> options = option_rows(command.options);
  std::string out = "NAME:\n   " + name + " - ";
  out.append(command.usage).append("\n\nUSAGE:\n   ").append(name);
  if (!options.empty()) out += " [command options]";
  if (!command.arguments.empty()) out.append(" ").append(command.arguments);
  if (!command.description.empty()) out.append("\n\nDESCRIPTION:\n   ").append(command.description);
  out += "\n";
  if (!options.empty()) out.append("\nOPTIONS:\n").append(rows_text(options));
  return out;
}

std::string version_text() {
  const scmp_version* seccomp = seccomp_version();
  std::string out = std::string("hull version ") + kVersion + "\ncommit: " + HULL_COMMIT +
                    "\nspec: " + kSpecVersion + "\n";
  if (seccomp != nullptr)
    out.append("libseccomp: ")
        .append(std::to_string(seccomp->major) + "." + std::to_string(seccomp->minor) + "." +
                std::to_string(seccomp->micro))
        .append("\n");
  return out;
}

}  // namespace hull::cmd
