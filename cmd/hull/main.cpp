#include <fcntl.h>
#include <malloc.h>
#include <poll.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <exception>

#include "cmd/hull/command.h"
#include "cmd/hull/globals.h"
#include "cmd/hull/help.h"
#include "cmd/hull/logger.h"
#include "cmd/hull/options.h"
#include "libruntime/container.h"
#include "libruntime/system/error.h"

namespace hull::cmd {
namespace {

// runc's exit status for a command that it does not have.
constexpr int kNoSuchCommand = 3;

const Command* find_command(std::string_view name) {
  for (const Command* command : commands())
    if (command->name == name) return command;
  return nullptr;
}

int no_such_command(const std::string& name) {
  log_fatal("No help topic for '" + name + "'");
  return kNoSuchCommand;
}

// What one of the descriptors 0, 1, 2 would be if a caller had closed it: the next file that is
// opened, which the container's program would then read or write.
void fill_standard_descriptors() {
  std::array<pollfd, 3> streams{{{0, 0, 0}, {1, 0, 0}, {2, 0, 0}}};
  if (poll(streams.data(), streams.size(), 0) < 0)
    throw hull::Error("cannot look at the standard streams", "poll", errno);
  for (const pollfd& stream : streams) {
    if ((stream.revents & POLLNVAL) == 0) continue;
    // The lowest free number is this one itself.
    if (open("/dev/null", O_RDWR) < 0)
      throw hull::Error("a standard stream is closed, and there is no /dev/null", "open", errno);
  }
}

// Go's checkArgs: text and help of a command that got too few or too many words.
void check_count(const Command& command, const std::string& program, size_t count) {
  const auto fail = [&](std::string_view what, size_t n) {
    throw UsageError(program + ": " + quote(command.name) + " requires " + std::string(what) + " " +
                     std::to_string(n) + " argument(s)");
  };
  if (command.min_arguments == command.max_arguments && count != command.min_arguments)
    fail("exactly", command.min_arguments);
  if (count < command.min_arguments) fail("a minimum of", command.min_arguments);
  if (count > command.max_arguments) fail("a maximum of", command.max_arguments);
}

int run_command(const Command& command, const Globals& globals, std::span<char* const> args) {
  std::string incorrect = "Incorrect Usage";
  try {
    Options options;
    try {
      options = Options::parse(command.options, args, command.positionals);
    } catch (const UsageError& error) {
      incorrect += std::string(": ") + error.what();
      throw;
    }
    if (options.help()) {
      print(help_of_command(globals.program, command));
      return 0;
    }
    incorrect += ".";
    check_count(command, globals.program, options.positionals().size());
    return command.run({globals, options});
  } catch (const UsageError& error) {
    print(incorrect + "\n\n" + help_of_command(globals.program, command));
    log_fatal(error.what());
    return 1;
  } catch (const std::exception& error) {
    log_fatal(std::string(command.error_prefix) + error.what());
    return command.error_status;
  }
}

int show_help(const std::string& program, std::span<const std::string> topic) {
  if (topic.empty()) {
    print(help_of_program(program, commands()));
    return 0;
  }
  const Command* command = find_command(topic.front());
  if (command == nullptr) return no_such_command(topic.front());
  print(help_of_command(program, *command));
  return 0;
}

// As "nsinit": all global options at their defaults.
int run_nsinit(const std::string& program, std::span<char* const> args) {
  Globals globals = read_globals(Options::parse(global_options(), {}, Positionals::end_options));
  globals.program = program;
  return run_command(nsinit_command, globals, args);
}

int run_program(std::span<char* const> args) {
  const std::string program = args.empty() ? "hull" : args[0];
  if (!args.empty()) args = args.subspan(1);
  if (program.ends_with("nsinit") && program.substr(program.rfind('/') + 1) == "nsinit")
    return run_nsinit(program, args);
  constexpr Option kVersionOption{"version", "v", OptionKind::flag, "print the version"};
  std::vector<Option> table(global_options().begin(), global_options().end());
  table.push_back(kVersionOption);

  Options options;
  try {
    options = Options::parse(table, args, Positionals::end_options);
  } catch (const UsageError& error) {
    print(std::string("Incorrect Usage. ") + error.what() + "\n\n" +
          help_of_program(program, commands()));
    throw;
  }
  const std::vector<std::string>& words = options.positionals();
  if (options.flag("version")) {
    print(version_text());
    return 0;
  }
  if (options.help() || words.empty()) return show_help(program, {});
  if (words[0] == "help" || words[0] == "h") return show_help(program, std::span(words).subspan(1));

  set_up_logger(options);
  Globals globals = read_globals(options);
  globals.program = program;
  const Command* command = find_command(words[0]);
  if (command == nullptr) return no_such_command(words[0]);
  return run_command(*command, globals, args.subspan(args.size() - words.size() + 1));
}

}  // namespace
}  // namespace hull::cmd

int main(int argc, char** argv) {
  // One brk(2) for the life of a command: nothing is given back before its end.
  mallopt(M_TOP_PAD, 512 << 10);
  mallopt(M_TRIM_THRESHOLD, 64 << 20);
  hull::init_if_asked(argc, argv);
  hull::cmd::start_logger();
  try {
    hull::cmd::fill_standard_descriptors();
    // A caller may have left it ignored, and then no child could be waited for.
    if (signal(SIGCHLD, SIG_DFL) == SIG_ERR)
      throw hull::Error("cannot reset the handling of a signal", "sigaction", errno);
    return hull::cmd::run_program({argv, static_cast<size_t>(argc)});
  } catch (const std::exception& error) {
    hull::cmd::log_fatal(error.what());
    return 1;
  }
}
