#include "cmd/hull/command.h"
#include "cmd/hull/id_pattern.h"
#include "libruntime/factory.h"
#include "libruntime/system/error.h"
#include "libruntime/system/signals.h"

namespace hull::cmd {
namespace {

constexpr Option kOptions[] = {
    {"all", "a", OptionKind::flag, "send the signal to all processes inside the container"},
    {"regex", "r", OptionKind::flag,
     "the ID is an extended regular expression: signal all containers that match"},
};

int signal_of(const Context& context) {
  const auto& words = context.options.positionals();
  const std::string text = words.size() > 1 && !words[1].empty() ? words[1] : "SIGTERM";
  const auto signal = parse_signal(text);
  if (!signal) throw Error("unknown signal " + quote(text));
  return *signal;
}

int kill(const Context& context) {
  const Factory factory(context.globals.root);
  const bool all = context.options.flag("all");
  if (context.options.flag("regex")) {
    const int signal = signal_of(context);
    return for_each_id(matching_ids(factory.list(), context.id()),
                       [&](const std::string& id) { factory.load(id).signal(signal, all); });
  }
  // A missing container is told first: hosts look for that text.
  Container container = factory.load(context.id());
  container.signal(signal_of(context), all);
  return 0;
}

}  // namespace

extern constexpr Command kill_command{
    "kill",
    "kill sends the specified signal (default: SIGTERM) to the container's init process",
    "<container-id> [signal]",
    "The signal is a number (\"9\") or a name (\"KILL\", \"SIGKILL\").\n\n"
    "EXAMPLE:\nTo send a \"KILL\" signal to the init process of the \"ubuntu01\" container:\n"
    "       # hull kill ubuntu01 KILL",
    kOptions,
    1,
    2,
    Positionals::mixed,
    kill};

}  // namespace hull::cmd
