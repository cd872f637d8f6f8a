#include "specconv/findings.h"

#include <algorithm>
#include <array>
#include <optional>

#include "specconv/host_findings.h"
#include "specconv/parse.h"
#include "specconv/problem.h"
#include "specconv/validate.h"

namespace hull::specconv {
namespace {

struct Section {
  std::string_view pointer;
  std::string_view name;
};

// The longer pointers of two that fit come first.
constexpr std::array kSections{
    Section{"/ociVersion", "config.md#specification-version"},
    Section{"/root", "config.md#root"},
    Section{"/mounts", "config.md#mounts"},
    Section{"/process/rlimits", "config.md#posix-process"},
    Section{"/process/user", "config.md#posix-platform-user"},
    Section{"/process/capabilities", "config.md#linux-process"},
    Section{"/process/noNewPrivileges", "config.md#linux-process"},
    Section{"/process/apparmorProfile", "config.md#linux-process"},
    Section{"/process/selinuxLabel", "config.md#linux-process"},
    Section{"/process/oomScoreAdj", "config.md#linux-process"},
    Section{"/process/scheduler", "config.md#linux-process"},
    Section{"/process/ioPriority", "config.md#linux-process"},
    Section{"/process/execCPUAffinity", "config.md#linux-process"},
    Section{"/process", "config.md#process"},
    Section{"/hostname", "config.md#hostname"},
    Section{"/domainname", "config.md#domainname"},
    Section{"/hooks", "config.md#posix-platform-hooks"},
    Section{"/annotations", "config.md#annotations"},
    Section{"/linux/namespaces", "config-linux.md#namespaces"},
    Section{"/linux/uidMappings", "config-linux.md#user-namespace-mappings"},
    Section{"/linux/gidMappings", "config-linux.md#user-namespace-mappings"},
    Section{"/linux/timeOffsets", "config-linux.md#offset-for-time-namespace"},
    Section{"/linux/devices", "config-linux.md#devices"},
    Section{"/linux/netDevices", "config-linux.md#network-devices"},
    Section{"/linux/cgroupsPath", "config-linux.md#cgroups-path"},
    Section{"/linux/resources/devices", "config-linux.md#allowed-device-list"},
    Section{"/linux/resources/memory", "config-linux.md#memory"},
    Section{"/linux/resources/cpu", "config-linux.md#cpu"},
    Section{"/linux/resources/blockIO", "config-linux.md#block-io"},
    Section{"/linux/resources/hugepageLimits", "config-linux.md#huge-page-limits"},
    Section{"/linux/resources/network", "config-linux.md#network"},
    Section{"/linux/resources/pids", "config-linux.md#pids"},
    Section{"/linux/resources/rdma", "config-linux.md#rdma"},
    Section{"/linux/resources/unified", "config-linux.md#unified"},
    Section{"/linux/resources", "config-linux.md#control-groups"},
    Section{"/linux/intelRdt", "config-linux.md#intelrdt"},
    Section{"/linux/memoryPolicy", "config-linux.md#memory-policy"},
    Section{"/linux/sysctl", "config-linux.md#sysctl"},
    Section{"/linux/seccomp", "config-linux.md#seccomp"},
    Section{"/linux/rootfsPropagation", "config-linux.md#rootfs-mount-propagation"},
    Section{"/linux/maskedPaths", "config-linux.md#masked-paths"},
    Section{"/linux/readonlyPaths", "config-linux.md#readonly-paths"},
    Section{"/linux/mountLabel", "config-linux.md#mount-label"},
    Section{"/linux/personality", "config-linux.md#personality"},
    Section{"/linux", "config-linux.md"},
};

bool is_within(std::string_view pointer, std::string_view outer) {
  return pointer.starts_with(outer) &&
         (pointer.size() == outer.size() || pointer[outer.size()] == '/');
}

// Without the field, which stands in front of a finding.
std::string text_of(const Error& e) {
  std::string out = e.message();
  if (!e.stage().empty()) out = e.stage() + ": " + out;
  if (e.code() != 0) out += ": " + errno_text(e.code());
  if (!e.hint().empty()) out += "; " + e.hint();
  return out;
}

// What is missing or of a wrong type is seen again as empty later on.
void add_new(const Problems& problems, Findings& findings) {
  const Findings before = findings;
  for (const Problem& one : problems.all())
    if (!before.has(one.pointer)) findings.error(one.pointer, one.text);
}

}  // namespace

void Findings::add(Finding finding) {
  const auto same = [&](const Finding& one) {
    return one.pointer == finding.pointer && one.text == finding.text;
  };
  if (std::none_of(all_.begin(), all_.end(), same)) all_.push_back(std::move(finding));
}

void Findings::attempt(std::string_view pointer, const std::function<void()>& action) {
  try {
    action();
  } catch (const Error& e) {
    error(e.field().empty() ? std::string(pointer) : e.field(), text_of(e));
  }
}

bool Findings::has(std::string_view pointer) const {
  return std::any_of(all_.begin(), all_.end(),
                     [&](const Finding& one) { return is_within(one.pointer, pointer); });
}

bool Findings::failed() const {
  return std::any_of(all_.begin(), all_.end(),
                     [](const Finding& one) { return one.severity == Severity::error; });
}

Findings diagnose(std::string_view json_text, const Options& options) {
  Findings out;
  std::optional<Spec> spec;
  out.attempt("", [&] {
    Problems problems;
    spec = parse(json_text, problems);
    add_new(problems, out);
  });
  if (!spec) return out;
  Problems problems;
  validate(*spec, problems);
  add_new(problems, out);
  look_at_host(*spec, options, out);
  return out;
}

std::string_view section_of(std::string_view pointer) {
  for (const Section& section : kSections)
    if (is_within(pointer, section.pointer)) return section.name;
  return "config.md";
}

}  // namespace hull::specconv
