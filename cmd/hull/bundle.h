#pragma once

#include <optional>
#include <string>

#include "cmd/hull/command.h"
#include "libruntime/process.h"
#include "specconv/convert.h"
#include "specconv/spec.h"

namespace hull::cmd {

// What a container is made from.
struct Bundle {
  configs::Config config;
  std::optional<Process> process;
  LaunchOptions launch;
};

// `create` and `run`: enters --bundle (hooks and relative paths start there, as with runc) and
// reads its config.json, or --config, with what the options and annotations say about the launch.
// Throws Error.
Bundle load_bundle(const Context& context);

inline constexpr char kConfigFile[] = "config.json";

// What the options say about the conversion of a configuration in the current directory.
specconv::Options convert_options(const Context& context, const std::string& id);

// The config.json of the current directory, or the file that is given. Throws Error.
specconv::Spec read_spec(const std::string& path);

// chdir(2); throws Error.
void enter_directory(const std::string& path);

// The options that create, run and exec share; paths are made absolute.
LaunchOptions launch_options(const Options& options);

// A terminal needs someone who holds its master: a console socket when we leave, else ourselves.
void check_terminal(bool terminal, bool detach, const LaunchOptions& options);

}  // namespace hull::cmd
