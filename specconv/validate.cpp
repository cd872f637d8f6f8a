#include "specconv/validate.h"

#include <algorithm>
#include <limits>

#include "libruntime/system/error.h"
#include "libruntime/system/text.h"
#include "specconv/names.h"
#include "specconv/validate_parts.h"

namespace hull::specconv {
namespace {

constexpr size_t kMaxHostName = 64;  // uts_namespaces(7)
constexpr int64_t kMaxHookSeconds = std::numeric_limits<int64_t>::max() / 1'000'000'000;

bool all_of(std::string_view text, std::string_view allowed) {
  return !text.empty() && text.find_first_not_of(allowed) == std::string_view::npos;
}

// Semantic versioning 2.0.0 with major version 1, or 0 of the drafts that led to it: "1.3.0",
// "1.0.2-dev", "1.0.0-rc5+build".
bool version_known(std::string_view text) {
  static constexpr std::string_view kDigits = "0123456789";
  static constexpr std::string_view kIdentifier =
      "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz-.";
  if (const size_t plus = text.find('+'); plus != std::string_view::npos) {
    if (!all_of(text.substr(plus + 1), kIdentifier)) return false;
    text = text.substr(0, plus);
  }
  if (const size_t dash = text.find('-'); dash != std::string_view::npos) {
    if (!all_of(text.substr(dash + 1), kIdentifier)) return false;
    text = text.substr(0, dash);
  }
  const std::vector<std::string_view> parts = split(text, '.');
  return parts.size() == 3 && (parts[0] == "1" || parts[0] == "0") && all_of(parts[1], kDigits) &&
         all_of(parts[2], kDigits);
}

void check_version(const Spec& spec, Problems& problems) {
  if (!version_known(spec.oci_version)) {
    problems.add("/ociVersion", "unsupported version " + quote(spec.oci_version) +
                                    ": must be 1.x.y (semantic versioning)");
  }
}

void check_hook(const Hook& hook, const std::string& base, Problems& problems) {
  if (!hook.path.starts_with('/'))
    problems.add(base + "/path", "must be an absolute path, not " + quote(hook.path));
  if (hook.timeout && (*hook.timeout <= 0 || *hook.timeout > kMaxHookSeconds))
    problems.add(base + "/timeout", "must be a number of seconds greater than 0");
  for (size_t i = 0; i < hook.env.size(); ++i) {
    if (const auto wrong = env_problem(hook.env[i]); wrong)
      problems.add(pointer_to(base, "env", i), *wrong);
  }
}

void check_hooks(const Hooks& hooks, Problems& problems) {
  const std::vector<Hook>* const lists[] = {&hooks.prestart,         &hooks.create_runtime,
                                            &hooks.create_container, &hooks.start_container,
                                            &hooks.poststart,        &hooks.poststop};
  static_assert(std::size(lists) == kHookNames.size());
  for (size_t kind = 0; kind < kHookNames.size(); ++kind)
    for (size_t i = 0; i < lists[kind]->size(); ++i)
      check_hook((*lists[kind])[i], pointer_to("/hooks", kHookNames[kind], i), problems);
}

void check_names(const Spec& spec, Problems& problems) {
  const bool own_uts = spec.linux_part.find(configs::NamespaceType::uts) != nullptr;
  const auto check = [&](const char* pointer, const std::string& name) {
    if (name.empty()) return;
    if (!own_uts) {
      problems.add(pointer, "unable to set " + std::string(pointer + 1) +
                                " without a private UTS namespace");
    }
    if (name.size() > kMaxHostName) problems.add(pointer, "is longer than 64 bytes");
  };
  check("/hostname", spec.hostname);
  check("/domainname", spec.domainname);
}

}  // namespace

std::optional<std::string> env_problem(std::string_view entry) {
  const size_t equals = entry.find('=');
  if (equals == std::string_view::npos) return "invalid environment variable: missing '='";
  if (equals == 0) return "invalid environment variable: name cannot be empty";
  if (entry.find('\0') != std::string_view::npos) {
    return "invalid environment variable " + quote(entry.substr(0, equals)) +
           ": contains nul byte (\\x00)";
  }
  return std::nullopt;
}

void validate(const Spec& spec) {
  Problems problems;
  validate(spec, problems);
  problems.throw_if_any();
}

void validate(const Spec& spec, Problems& problems) {
  check_version(spec, problems);
  if (spec.root.path.empty()) problems.add("/root/path", "must not be empty");
  if (spec.process) check_process(*spec.process, "/process", problems);
  check_names(spec, problems);
  check_mounts(spec, problems);
  check_hooks(spec.hooks, problems);
  if (spec.annotations.contains("")) problems.add("/annotations", "a key is empty");
  check_linux(spec, problems);
}

void validate(const Process& process) {
  Problems problems;
  check_process(process, "", problems);
  problems.throw_if_any();
}

void validate(const Resources& resources) {
  Problems problems;
  check_resources(resources, "", problems);
  problems.throw_if_any();
}

}  // namespace hull::specconv
