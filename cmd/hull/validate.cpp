#include "cmd/hull/bundle.h"
#include "cmd/hull/command.h"
#include "cmd/hull/json_text.h"
#include "libruntime/system/error.h"
#include "libruntime/system/files.h"
#include "specconv/findings.h"

namespace hull::cmd {
namespace {

constexpr Option kOptions[] = {
    {"config", "f", OptionKind::text,
     "path to the container specification file, defaults to \"config.json\" in the bundle "
     "directory"},
    {"format", "", OptionKind::text, "select one of: text or json", "text"},
    {"no-pivot", "", OptionKind::flag, "as for \"create\""},
    {"no-new-keyring", "", OptionKind::flag, "as for \"create\"", "", true},
};

std::string_view severity_name(const specconv::Finding& one) {
  return one.severity == specconv::Severity::error ? "error" : "warning";
}

std::string as_text(const specconv::Findings& findings) {
  std::string out;
  for (const specconv::Finding& one : findings.all())
    out.append(one.pointer.empty() ? "/" : one.pointer)
        .append(": ")
        .append(severity_name(one))
        .append(": ")
        .append(one.text)
        .append(" [")
        .append(specconv::section_of(one.pointer))
        .append("]\n");
  return out;
}

std::string as_json(const specconv::Findings& findings) {
  std::string out;
  for (const specconv::Finding& one : findings.all()) {
    out.append(out.empty() ? "[" : ",\n ")
        .append("{\"severity\":")
        .append(json_quoted(severity_name(one)));
    out.append(",\"pointer\":").append(json_quoted(one.pointer));
    out.append(",\"problem\":").append(json_quoted(one.text));
    out.append(",\"section\":").append(json_quoted(specconv::section_of(one.pointer))).append("}");
  }
  return out.empty() ? "[]\n" : out + "]\n";
}

int validate(const Context& context) {
  const std::string format = context.options.text("format");
  if (format != "text" && format != "json") throw Error("invalid format option");
  std::string file = context.options.text("config");
  file = file.empty() ? kConfigFile : absolute_path(file);
  const auto& words = context.options.positionals();
  if (!words.empty()) enter_directory(words.front());
  const auto text = read_file_if_exists(file);
  if (!text) throw Error("JSON specification file " + file + " not found");

  // The ID stands for the one that create will be given.
  const specconv::Findings findings =
      specconv::diagnose(*text, convert_options(context, "hull-validate"));
  print(format == "json" ? as_json(findings) : as_text(findings));
  return findings.failed() ? 1 : 0;
}

}  // namespace

extern constexpr Command validate_command{
    "validate",
    "tell all that is wrong with a bundle",
    "[bundle]",
    "Checks the configuration of a bundle (default: the current directory) against the "
    "specification,\n"
    "and against this host: whether it has the files, kernel features, cgroup controllers and "
    "security\n"
    "modules that the configuration asks for. Nothing is made or changed. Each line tells\n\n"
    "    JSON-POINTER: error|warning: WHAT [SECTION OF THE SPECIFICATION]\n\n"
    "The exit status is 1 when \"hull create\" or \"hull start\" would fail, else 0.",
    kOptions,
    0,
    1,
    Positionals::mixed,
    validate};

}  // namespace hull::cmd
