#include <cstdlib>
#include <nlohmann/json.hpp>

#include "cmd/hull/command.h"
#include "cmd/hull/legacy_stats.h"
#include "cmd/hull/logger.h"
#include "cmd/hull/nsinit_exec.h"
#include "libruntime/system/error.h"
#include "libruntime/system/log.h"

namespace hull::cmd {
namespace {

constexpr Option kOptions[] = {
    {"root", "", OptionKind::text,
     "directory of container.json, pid and start (default is $data_path or the current one)"},
    {"log", "", OptionKind::text, "where to write the log: 'none', 'stderr' or a path", "stderr"},
    {"console", "", OptionKind::text, "refused: it was for nsinit itself, started once more", "",
     true},
    {"pipe", "", OptionKind::text, "refused, as -console", "", true},
};

// What the options before and after the verb say; the later one counts.
struct Request {
  std::string verb;
  std::string root;
  std::string log;
  std::vector<std::string> args;
};

void take_options(const Options& options, Request& out) {
  for (const char* name : {"console", "pipe"})
    if (options.given(name))
      throw UsageError("-" + std::string(name) +
                       " is not supported: it was between nsinit and its own second process, which "
                       "this program does without");
  if (options.given("root")) out.root = options.text("root");
  if (options.given("log")) out.log = options.text("log");
}

Request read_request(const Options& options) {
  Request out;
  const char* data_path = std::getenv("data_path");
  out.root = data_path != nullptr && *data_path != '\0' ? data_path : ".";
  take_options(options, out);
  std::vector<std::string> words = options.positionals();
  out.verb = words.front();
  std::vector<char*> rest;
  for (size_t i = 1; i < words.size(); ++i) rest.push_back(words[i].data());
  const Options more = Options::parse(kOptions, rest, Positionals::end_options);
  take_options(more, out);
  out.args = more.positionals();
  return out;
}

void point_log(const std::string& target) {
  if (target == "none")
    log::set_level(log::Level::error);  // the error that ends us is no log line
  else if (!target.empty() && target != "stderr")
    open_log(target);
}

int show_stats(const Globals& globals, const LegacyContainer& legacy) {
  const auto container = find_legacy_container(globals, legacy.directory);
  if (!container) throw Error("no container runs in " + quote(legacy.directory));
  print(legacy_stats_json(container->stats()));
  return 0;
}

int show_spec(const LegacyContainer& legacy) {
  print(nlohmann::ordered_json::parse(legacy.text).dump(1, '\t') + "\n");
  return 0;
}

int nsinit(const Context& context) {
  const Request request = read_request(context.options);
  point_log(request.log);
  if (request.verb == "init" || request.verb == "nsenter")
    throw UsageError(quote(request.verb) +
                     " is not supported: nsinit called itself so, which this program does without");
  const auto load = [&] { return load_legacy_container(request.root + "/" + kContainerFile); };
  if (request.verb == "exec") {
    if (request.args.empty()) throw UsageError("exec needs a command");
    return exec_legacy(context.globals, load(), request.args);
  }
  if (request.verb == "stats") return show_stats(context.globals, load());
  if (request.verb == "spec") return show_spec(load());
  throw UsageError("no such command of nsinit: " + quote(request.verb));
}

}  // namespace

extern constexpr Command nsinit_command{
    "nsinit",
    "run a container of 2014 from the container.json in its directory",
    "exec|stats|spec [command options] [command [arguments...]]",
    "Does what Docker's nsinit did, for containers that are described by a \"container.json\" "
    "(see\n"
    "hull-convert(8) for making a config.json of it). A program of the name \"nsinit\" that is "
    "this\n"
    "one does the same.\n\n"
    "exec runs a command in the container of the directory. The first one makes the container: "
    "its\n"
    "host pid is in the file \"pid\" and its start time in \"start\" until it ends, and the "
    "container\n"
    "with it. Each further one joins it. The exit status is the command's, or 128 and the number "
    "of\n"
    "the signal that killed it.\n\n"
    "stats prints what the container uses, spec its container.json.\n\n"
    "The directory of container.json is the root file system; when it holds nothing else, the\n"
    "current directory is.\n\n"
    "EXAMPLE:\n       # cd /containers/one && hull nsinit exec /bin/sh",
    kOptions,
    1,
    kAnyNumber,
    Positionals::end_options,
    nsinit};

}  // namespace hull::cmd
