#include "cmd/hull/command.h"
#include "libruntime/factory.h"

namespace hull::cmd {
namespace {

int state(const Context& context) {
  print(Factory(context.globals.root).load(context.id()).oci_state());
  return 0;
}

}  // namespace

extern constexpr Command state_command{"state",
                                       "output the state of a container",
                                       "<container-id>",
                                       "Prints the state of a container as JSON.",
                                       {},
                                       1,
                                       1,
                                       Positionals::mixed,
                                       state};

}  // namespace hull::cmd
