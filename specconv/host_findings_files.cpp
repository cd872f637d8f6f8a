#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "libruntime/configs/names.h"
#include "libruntime/security/capabilities.h"
#include "libruntime/security/lsm.h"
#include "libruntime/system/files.h"
#include "libruntime/system/root_path.h"
#include "libruntime/system/text.h"
#include "specconv/host_findings.h"
#include "specconv/problem.h"

// The parts that look at files, of the host and of the root file system, and at this process.
namespace hull::specconv {
namespace {

bool exists_as_directory(const std::string& path) {
  struct stat info {};
  return stat(path.c_str(), &info) == 0 && S_ISDIR(info.st_mode);
}

enum class Program { there, missing, not_executable };

Program program_in(const RootPath& root, const std::string& path) {
  const Fd fd = root.try_open(path, O_PATH);
  struct stat info {};
  if (!fd || fstat(fd.get(), &info) != 0) return Program::missing;
  return S_ISREG(info.st_mode) && (info.st_mode & 0111) != 0 ? Program::there
                                                             : Program::not_executable;
}

std::string path_variable(const std::vector<std::string>& env) {
  std::string out;
  for (const std::string& variable : env)
    if (variable.starts_with("PATH=")) out = variable.substr(5);
  return out;
}

// As execvp(3) would find it.
Program find_in(const RootPath& root, const Process& process) {
  const std::string& name = process.args[0];
  if (name.starts_with('/')) return program_in(root, name);
  if (name.find('/') != std::string::npos) return program_in(root, process.cwd + "/" + name);
  Program best = Program::missing;
  const std::string path = path_variable(process.env);
  for (const std::string_view dir : split(path, ':')) {
    const Program here = program_in(root, std::string(dir) + "/" + name);
    if (here == Program::there) return here;
    if (here == Program::not_executable) best = here;
  }
  return best;
}

void look_at_program(const Spec& spec, const std::string& rootfs, Findings& findings) {
  const Process& process = *spec.process;
  if (process.args.empty() || !exists_as_directory(rootfs)) return;
  const RootPath root = RootPath::at(rootfs);
  const Program program = find_in(root, process);
  if (program == Program::there) return;
  const std::string text =
      quote(process.args[0]) +
      (program == Program::missing ? " is not in the root file system" : " is no executable file");
  // A mount may bring it.
  const bool may_come = std::any_of(spec.mounts.begin(), spec.mounts.end(), [](const Mount& mount) {
    return mount.type != "proc" && mount.type != "sysfs" && mount.type != "devpts" &&
           mount.type != "mqueue" && mount.type != "cgroup" && mount.type != "tmpfs";
  });
  if (may_come)
    findings.warning("/process/args/0", text + ", unless a mount brings it");
  else
    findings.error("/process/args/0", text);
}

bool has_effective(unsigned capability) {
  const auto status = read_file_if_exists("/proc/self/status");
  if (!status) return false;
  const size_t at = status->find("CapEff:");
  if (at == std::string::npos) return false;
  return (std::stoull(status->substr(at + 7), nullptr, 16) >> capability & 1) != 0;
}

constexpr unsigned kSysResource = 24;  // CAP_SYS_RESOURCE, capabilities(7)

void look_at_capabilities(const Spec& spec, Findings& findings) {
  if (!spec.process->capabilities) return;
  const bool own_users = spec.linux_part.find(configs::NamespaceType::user) != nullptr;
  const auto names = security::capability_names();
  const auto look = [&](const std::vector<std::string>& set, std::string_view key) {
    for (size_t i = 0; i < set.size(); ++i) {
      const std::string pointer = pointer_to("/process/capabilities", key, i);
      const auto known = std::find(names.begin(), names.end(), set[i]);
      const auto number = static_cast<unsigned long>(known - names.begin());
      if (known == names.end() || number > security::last_capability())
        findings.warning(pointer, "this kernel has no " + set[i] + ": it is left out");
      else if (!own_users && prctl(PR_CAPBSET_READ, number, 0, 0, 0) != 1)
        findings.warning(pointer, "this process does not hold " + set[i] + ": it is left out");
    }
  };
  const configs::Capabilities& sets = *spec.process->capabilities;
  look(sets.bounding, "bounding");
  look(sets.effective, "effective");
  look(sets.inheritable, "inheritable");
  look(sets.permitted, "permitted");
  look(sets.ambient, "ambient");
}

void look_at_limits(const Process& process, Findings& findings) {
  if (has_effective(kSysResource)) return;
  for (size_t i = 0; i < process.rlimits.size(); ++i) {
    const configs::Rlimit& limit = process.rlimits[i];
    rlimit64 now{};
    if (prlimit64(0, static_cast<__rlimit_resource>(limit.type), nullptr, &now) == 0 &&
        limit.hard > now.rlim_max)
      findings.error(pointer_to("/process/rlimits", i, "hard"),
                     "raising it above " + std::to_string(now.rlim_max) +
                         " takes CAP_SYS_RESOURCE, which this process does not have");
  }
  const auto now = read_value_if_exists("/proc/self/oom_score_adj");
  const auto score = now ? parse_number<int>(trim(*now)) : std::nullopt;
  if (process.oom_score_adj && score && *process.oom_score_adj < *score)
    findings.error("/process/oomScoreAdj", "lowering it below " + std::to_string(*score) +
                                               " takes CAP_SYS_RESOURCE, which this process does "
                                               "not have");
}

void look_at_apparmor(const std::string& profile, Findings& findings) {
  findings.attempt("/process/apparmorProfile", [&] {
    if (security::resolve_apparmor_profile(profile).empty()) return;
    const auto loaded = read_file_if_exists("/sys/kernel/security/apparmor/profiles");
    if (loaded && ("\n" + *loaded).find("\n" + profile + " (") == std::string::npos)
      throw Error("no AppArmor profile " + quote(profile) + " is loaded");
  });
}

bool is_file_system(const std::string& type) {
  const auto known = read_file_if_exists("/proc/filesystems");
  return !known || ("\n" + *known).find("\t" + type + "\n") != std::string::npos;
}

}  // namespace

void look_at_process(const Spec& spec, const std::string& rootfs, Findings& findings) {
  if (!spec.process) {
    findings.warning("/process", "is missing: the container can be created, but not started");
    return;
  }
  look_at_program(spec, rootfs, findings);
  look_at_capabilities(spec, findings);
  look_at_limits(*spec.process, findings);
  look_at_apparmor(spec.process->apparmor_profile, findings);
  findings.attempt("/process/selinuxLabel", [&] {
    security::resolve_selinux_label(spec.process->selinux_label, "/process/selinuxLabel");
  });
}

void look_at_mounts(const configs::Config& config, Findings& findings) {
  for (size_t i = 0; i < config.mounts.size(); ++i) {
    const configs::Mount& mount = config.mounts[i];
    const std::string pointer = pointer_to("/mounts", i);
    if ((mount.flags & MS_BIND) != 0) {
      if (access(mount.source.c_str(), F_OK) != 0)
        findings.error(pointer + "/source", quote(mount.source) + ": " + errno_text(errno));
    } else if (mount.type != "cgroup" && (mount.flags & MS_REMOUNT) == 0 &&
               !is_file_system(mount.type)) {
      findings.warning(pointer + "/type", "this kernel has no file system " + quote(mount.type) +
                                              " yet; is there a module for it?");
    }
  }
}

void look_at_hooks(const Hooks& hooks, const std::string& rootfs, Findings& findings) {
  const auto look = [&](const std::vector<Hook>& list, const char* kind) {
    for (size_t i = 0; i < list.size(); ++i)
      if (access(list[i].path.c_str(), X_OK) != 0)
        findings.error(pointer_to("/hooks", kind, i, "path"),
                       quote(list[i].path) + ": " + errno_text(errno));
  };
  look(hooks.prestart, "prestart");
  look(hooks.create_runtime, "createRuntime");
  look(hooks.create_container, "createContainer");
  look(hooks.poststart, "poststart");
  for (size_t i = 0; i < hooks.poststop.size(); ++i)
    if (access(hooks.poststop[i].path.c_str(), X_OK) != 0)
      findings.warning(pointer_to("/hooks", "poststop", i, "path"),
                       quote(hooks.poststop[i].path) + ": " + errno_text(errno));
  if (hooks.start_container.empty() || !exists_as_directory(rootfs)) return;
  const RootPath root = RootPath::at(rootfs);
  for (size_t i = 0; i < hooks.start_container.size(); ++i)
    if (program_in(root, hooks.start_container[i].path) != Program::there)
      findings.warning(pointer_to("/hooks", "startContainer", i, "path"),
                       quote(hooks.start_container[i].path) +
                           " is no executable file in the root file system, unless a mount "
                           "brings it");
}

}  // namespace hull::specconv
