#include <sys/stat.h>

#include <cerrno>

#include "cmd/hull/command.h"
#include "cmd/hull/json_text.h"
#include "cmd/hull/table.h"
#include "libruntime/factory.h"
#include "libruntime/system/error.h"
#include "libruntime/system/log.h"

namespace hull::cmd {
namespace {

constexpr Option kOptions[] = {
    {"format", "f", OptionKind::text, "select one of: table or json", "table"},
    {"quiet", "q", OptionKind::flag, "display only container IDs"},
};

// A missing default root means that there was no container yet; a missing --root is an error.
void check_root(const Globals& globals) {
  struct stat info {};
  if (globals.root_given && stat(globals.root.c_str(), &info) != 0)
    throw Error("open " + globals.root, "", errno);
}

// One broken container, or one that is deleted just now, must not hide the others.
template <class Use>
void for_each_container(const Globals& globals, Use use) {
  const Factory factory(globals.root);
  for (const std::string& id : factory.list()) {
    try {
      use(factory.load(id));
    } catch (const Error& error) {
      log::warning("load container " + id + ": " + error.what());
    }
  }
}

std::vector<std::string> row_of(const Container& container) {
  const auto state = container.state();
  const Status status = container.status();
  const pid_t pid = status == Status::stopped ? 0 : state->init_pid;
  return {state->id,          std::to_string(pid), std::string(status_name(status)),
          container.bundle(), state->created,      container.owner()};
}

std::string all_as_table(const Globals& globals) {
  std::vector<std::vector<std::string>> rows{{"ID", "PID", "STATUS", "BUNDLE", "CREATED", "OWNER"}};
  for_each_container(globals, [&](const Container& one) { rows.push_back(row_of(one)); });
  return table_text(rows);
}

std::string all_as_json(const Globals& globals) {
  std::string out;
  for_each_container(globals, [&](const Container& one) {
    out.append(out.empty() ? "[" : ",").append(json_compact(one.oci_state(one.owner())));
  });
  return out.empty() ? "null\n" : out + "]\n";  // null is what Go makes of an empty list
}

int list(const Context& context) {
  check_root(context.globals);
  const std::string format = context.options.text("format");
  if (context.options.flag("quiet")) {
    std::string ids;
    for_each_container(context.globals, [&](const Container& one) { ids += one.id() + "\n"; });
    print(ids);
  } else if (format == "table") {
    print(all_as_table(context.globals));
  } else if (format == "json") {
    print(all_as_json(context.globals));
  } else {
    throw Error("invalid format option");
  }
  return 0;
}

}  // namespace

extern constexpr Command list_command{
    "list",
    "lists containers started by hull with the given root",
    "",
    "The root is given by the global option \"--root\" (default: \"/run/hull\").\n\n"
    "EXAMPLE:\nTo list containers created using a non-default value for \"--root\":\n"
    "       # hull --root value list",
    kOptions,
    0,
    0,
    Positionals::mixed,
    list};

}  // namespace hull::cmd
