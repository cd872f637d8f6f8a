#include "cmd/hull/command.h"
#include "libruntime/factory.h"

namespace hull::cmd {
namespace {

int pause(const Context& context) {
  Factory(context.globals.root).load(context.id()).pause();
  return 0;
}

int resume(const Context& context) {
  Factory(context.globals.root).load(context.id()).resume();
  return 0;
}

}  // namespace

extern constexpr Command pause_command{
    "pause",
    "pause suspends all processes inside the container",
    "<container-id>",
    "Suspends all processes of the container. Use \"hull list\" to see the status of containers.",
    {},
    1,
    1,
    Positionals::mixed,
    pause};

extern constexpr Command resume_command{
    "resume",
    "resumes all processes that have been previously paused",
    "<container-id>",
    "Resumes all processes of the container. Use \"hull list\" to see the status of containers.",
    {},
    1,
    1,
    Positionals::mixed,
    resume};

}  // namespace hull::cmd
