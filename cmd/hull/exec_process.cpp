#include "cmd/hull/exec_process.h"

#include <algorithm>

#include "libruntime/system/error.h"
#include "libruntime/system/text.h"

namespace hull::cmd {
namespace {

uint32_t parse_id(std::string_view kind, std::string_view text) {
  const auto id = parse_number<uint32_t>(text);
  if (!id || *id == UINT32_MAX)
    throw Error("bad " + std::string(kind) + ": " + quote(text))
        .hint("it must be a number from 0 to 4294967294");
  return *id;
}

void add_once(std::vector<std::string>& names, const std::string& name) {
  if (std::find(names.begin(), names.end(), name) == names.end()) names.push_back(name);
}

}  // namespace

UserId parse_user(std::string_view text) {
  const size_t colon = text.find(':');
  UserId out;
  out.uid = parse_id("uid", text.substr(0, colon));
  if (colon != std::string_view::npos) out.gid = parse_id("gid", text.substr(colon + 1));
  return out;
}

void add_capability(configs::Capabilities& capabilities, const std::string& name) {
  add_once(capabilities.bounding, name);
  add_once(capabilities.effective, name);
  add_once(capabilities.permitted, name);
  const auto& inheritable = capabilities.inheritable;
  if (std::find(inheritable.begin(), inheritable.end(), name) != inheritable.end())
    add_once(capabilities.ambient, name);
}

void apply_options(const Options& options,
                   const std::optional<configs::Capabilities>& container_capabilities,
                   specconv::Process& process) {
  const auto replace = [&](std::string_view option, std::string& value) {
    if (std::string text = options.text(option); !text.empty()) value = std::move(text);
  };
  replace("cwd", process.cwd);
  replace("apparmor", process.apparmor_profile);
  replace("process-label", process.selinux_label);
  for (std::string& entry : options.list("env")) process.env.push_back(std::move(entry));
  process.terminal = options.flag("tty");
  if (options.given("no-new-privs")) process.no_new_privileges = options.flag("no-new-privs");
  if (const std::string text = options.text("user"); !text.empty()) {
    const UserId user = parse_user(text);
    process.uid = user.uid;
    process.gid = user.gid.value_or(process.gid);
  }
  for (const std::string& gid : options.list("additional-gids"))
    process.additional_gids.push_back(parse_id("additional gid", gid));
  const std::vector<std::string> added = options.list("cap");
  if (added.empty()) return;
  if (!process.capabilities)
    process.capabilities = container_capabilities.value_or(configs::Capabilities{});
  for (const std::string& name : added) add_capability(*process.capabilities, name);
}

std::vector<std::string_view> overridden_by_process_file(const Options& options) {
  std::vector<std::string_view> out;
  for (const std::string_view name : {"cwd", "env", "user", "additional-gids", "process-label",
                                      "apparmor", "no-new-privs", "cap"})
    if (options.given(name)) out.push_back(name);
  return out;
}

}  // namespace hull::cmd
