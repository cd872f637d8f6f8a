#include "cmd/hull/command.h"
#include "cmd/hull/id_pattern.h"
#include "cmd/hull/notify.h"
#include "libruntime/factory.h"
#include "libruntime/system/error.h"
#include "libruntime/system/log.h"

namespace hull::cmd {
namespace {

constexpr Option kOptions[] = {
    {"force", "f", OptionKind::flag,
     "forcibly deletes the container if it is still running (uses SIGKILL)"},
    {"regex", "r", OptionKind::flag,
     "the ID is an extended regular expression: delete all containers that match"},
};

void delete_one(const Factory& factory, const std::string& id, bool force) {
  if (force)
    factory.remove(id);  // none at all is no error
  else
    factory.load(id).destroy();
  NotifyProxy::remove(factory.root(), id);
}

int remove(const Context& context) {
  const Factory factory(context.globals.root);
  const bool force = context.options.flag("force");
  if (context.options.flag("regex"))
    return for_each_id(matching_ids(factory.list(), context.id()),
                       [&](const std::string& id) { delete_one(factory, id, force); });
  delete_one(factory, context.id(), force);
  return 0;
}

}  // namespace

extern constexpr Command delete_command{
    "delete",
    "delete any resources held by the container often used with detached container",
    "<container-id>",
    "EXAMPLE:\nIf \"hull list\" shows the status of \"ubuntu01\" as \"stopped\", this deletes what "
    "it holds:\n"
    "       # hull delete ubuntu01",
    kOptions,
    1,
    1,
    Positionals::mixed,
    remove};

}  // namespace hull::cmd
