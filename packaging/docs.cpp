// hull-docs DIRECTORY: writes the man pages (hull.8, hull-create.8, ...) and the completion for
// bash (hull.bash), all from the tables that the program itself reads.
#include <cstdio>
#include <exception>
#include <string>

#include "cmd/hull/command.h"
#include "cmd/hull/globals.h"
#include "cmd/hull/help.h"
#include "libruntime/system/files.h"
#include "libruntime/system/text.h"
#include "libruntime/version.h"

namespace hull::docs {
namespace {

using cmd::Command;
using cmd::Option;
using cmd::OptionKind;

// groff_man(7): a leading dot or apostrophe would be a request, "-" a hyphen.
std::string roff(std::string_view text) {
  std::string out;
  bool line_start = true;
  for (const char c : text) {
    if (line_start && (c == '.' || c == '\'')) out += "\\&";
    if (c == '\\') {
      out += "\\e";
    } else if (c == '-') {
      out += "\\-";
    } else {
      out += c;
    }
    line_start = c == '\n';
  }
  return out;
}

// Paragraphs as they are; indented lines are examples.
std::string roff_text(std::string_view text) {
  std::string out;
  bool example = false;
  for (const std::string_view line : split(text, '\n')) {
    const bool indented = line.starts_with("  ");
    if (indented != example && !line.empty()) {
      out += indented ? ".EX\n" : ".EE\n";
      example = indented;
    }
    out += line.empty() ? ".PP\n" : roff(line) + "\n";
  }
  return out + (example ? ".EE\n" : "");
}

std::string title(const std::string& name) {
  std::string upper;
  for (const char c : name) upper += c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
  return ".TH \"" + upper + "\" \"8\" \"\" \"hull " + kVersion + "\" \"System administration\"\n";
}

std::string option_entries(std::span<const Option> options) {
  std::string out;
  for (const Option& option : options) {
    if (option.hidden) continue;
    const std::string value = option.kind == OptionKind::flag ? "" : " \\fIvalue\\fP";
    out += ".TP\n\\fB" + roff("--" + std::string(option.name)) + "\\fP" + value;
    if (!option.short_name.empty())
      out += ", \\fB" + roff("-" + std::string(option.short_name)) + "\\fP" + value;
    out += "\n" + roff(option.help);
    if (!option.fallback.empty()) out += roff(" (default: " + std::string(option.fallback) + ")");
    if (option.kind == OptionKind::list) out += " This option may be given several times.";
    out += "\n";
  }
  return out;
}

std::string page_of_command(const Command& command) {
  const std::string name = "hull-" + std::string(command.name);
  std::string out = title(name);
  out += ".SH NAME\n" + roff(name) + " \\- " + roff(command.usage) + "\n";
  out += ".SH SYNOPSIS\n\\fBhull\\fP [\\fIglobal options\\fP] \\fB" + std::string(command.name) +
         "\\fP";
  const std::string entries = option_entries(command.options);
  if (!entries.empty()) out += " [\\fIoptions\\fP]";
  out += " " + roff(command.arguments) + "\n";
  out += ".SH DESCRIPTION\n" + roff_text(command.description);
  if (!entries.empty()) out += ".SH OPTIONS\n" + entries;
  return out + ".SH SEE ALSO\n\\fBhull\\fP(8)\n";
}

std::string page_of_program() {
  std::string out = title("hull");
  out += ".SH NAME\nhull \\- Open Container Initiative runtime\n";
  out +=
      ".SH SYNOPSIS\n\\fBhull\\fP [\\fIglobal options\\fP] \\fIcommand\\fP [\\fIoptions\\fP] "
      "[\\fIarguments\\fP...]\n";
  out += ".SH DESCRIPTION\n" + roff_text(cmd::about());
  out += ".SH COMMANDS\n";
  for (const Command* command : cmd::commands())
    out += ".TP\n\\fB" + roff(command->name) + "\\fP\n" + roff(command->usage) +
           ". See \\fBhull\\-" + std::string(command->name) + "\\fP(8).\n";
  out += ".SH \"GLOBAL OPTIONS\"\n" + option_entries(cmd::global_options());
  out +=
      ".SH \"EXIT STATUS\"\n0 for success, 1 for an error, 3 for an unknown command. \\fBrun\\fP "
      "and \\fBexec\\fP give the program's own status, or 128 and the number of the signal that "
      "killed it; \\fBexec\\fP gives 255 when the program could not be run.\n";
  return out;
}

// The words of an option for the shell, with a blank behind each.
std::string option_words(std::span<const Option> options, bool valued_only) {
  std::string out;
  for (const Option& option : options) {
    if (option.hidden || (valued_only && option.kind == OptionKind::flag)) continue;
    out += "--" + std::string(option.name) + " ";
    if (!option.short_name.empty()) out += "-" + std::string(option.short_name) + " ";
  }
  return out;
}

bool takes_container(const Command& command) {
  return command.arguments.starts_with("<container-id>");
}

std::string bash_completion() {
  std::string names;
  std::string cases;
  for (const Command* command : cmd::commands()) {
    const std::string name(command->name);
    names += name + " ";
    cases += "    " + name + ")\n      options=\"" + option_words(command->options, false) +
             "--help -h\"\n      valued=\" " + option_words(command->options, true) + "\"\n";
    // Those of create and run are names to be.
    if (takes_container(*command) && name != "create" && name != "run" && name != "restore")
      cases += "      containers=1\n";
    cases += "      ;;\n";
  }
  return "# bash completion for hull; made from the program's own tables\n"
         "_hull() {\n"
         "  local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD-1]}\n"
         "  local command= i options valued containers= root=()\n"
         "  local global_valued=\" " +
         option_words(cmd::global_options(), true) +
         "\"\n"
         "  for ((i = 1; i < COMP_CWORD; i++)); do\n"
         "    local word=${COMP_WORDS[i]}\n"
         "    if [[ $word == --root ]]; then root=(--root \"${COMP_WORDS[i+1]}\"); fi\n"
         "    if [[ $global_valued == *\" $word \"* ]]; then ((i++)); continue; fi\n"
         "    if [[ $word != -* && $word != = ]]; then command=$word; break; fi\n"
         "  done\n"
         "  if [[ -z $command ]]; then\n"
         "    if [[ $global_valued == *\" $previous \"* ]]; then\n"
         "      COMPREPLY=($(compgen -f -- \"$current\"))\n"
         "      return\n"
         "    fi\n"
         "    COMPREPLY=($(compgen -W \"" +
         names + option_words(cmd::global_options(), false) +
         "help --help -h --version -v\" -- \"$current\"))\n"
         "    return\n"
         "  fi\n"
         "  case $command in\n" +
         cases + "    help)\n      COMPREPLY=($(compgen -W \"" + names +
         "\" -- \"$current\"))\n      return\n      ;;\n"
         "    *)\n      return\n      ;;\n"
         "  esac\n"
         "  if [[ $valued == *\" $previous \"* ]]; then\n"
         "    COMPREPLY=($(compgen -f -- \"$current\"))\n"
         "  elif [[ $current == -* ]]; then\n"
         "    COMPREPLY=($(compgen -W \"$options\" -- \"$current\"))\n"
         "  elif [[ -n $containers ]]; then\n"
         "    COMPREPLY=($(compgen -W \"$(\"${COMP_WORDS[0]}\" \"${root[@]}\" list -q "
         "2>/dev/null)\" -- "
         "\"$current\"))\n"
         "  else\n"
         "    COMPREPLY=($(compgen -f -- \"$current\"))\n"
         "  fi\n"
         "}\n"
         "complete -F _hull hull\n";
}

void write(const std::string& directory, const std::string& name, const std::string& text) {
  replace_file(directory + "/" + name, text, 0644);
}

}  // namespace

int write_all(const std::string& directory) {
  make_directories(directory, 0755);
  write(directory, "hull.8", page_of_program());
  for (const Command* command : cmd::commands())
    write(directory, "hull-" + std::string(command->name) + ".8", page_of_command(*command));
  write(directory, "hull.bash", bash_completion());
  return 0;
}

}  // namespace hull::docs

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fputs("usage: hull-docs DIRECTORY\n", stderr);
    return 2;
  }
  try {
    return hull::docs::write_all(argv[1]);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "hull-docs: %s\n", error.what());
    return 1;
  }
}
