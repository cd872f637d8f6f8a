#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "cmd/hull/options.h"
#include "libruntime/configs/config.h"
#include "specconv/spec.h"

namespace hull::cmd {

// The options of `exec`.
inline constexpr Option kExecOptions[] = {
    {"console-socket", "", OptionKind::text,
     "path to an AF_UNIX socket which will receive the master end of the console's pseudoterminal"},
    {"pidfd-socket", "", OptionKind::text,
     "path to an AF_UNIX socket which will receive a file descriptor referencing the exec process"},
    {"cwd", "", OptionKind::text, "current working directory in the container"},
    {"env", "e", OptionKind::list, "set environment variables"},
    {"tty", "t", OptionKind::flag, "allocate a pseudo-TTY"},
    {"user", "u", OptionKind::text, "UID (format: <uid>[:<gid>])"},
    {"additional-gids", "g", OptionKind::list, "additional gids"},
    {"process", "p", OptionKind::text, "path to the process.json"},
    {"detach", "d", OptionKind::flag, "detach from the container's process"},
    {"pid-file", "", OptionKind::text, "specify the file to write the process id to"},
    {"process-label", "", OptionKind::text, "set the SELinux label of the process"},
    {"apparmor", "", OptionKind::text, "set the AppArmor profile of the process"},
    {"no-new-privs", "", OptionKind::flag, "set the no new privileges value for the process"},
    {"cap", "c", OptionKind::list, "add a capability to the bounding set for the process"},
    {"preserve-fds", "", OptionKind::number,
     "pass N additional file descriptors to the process (stdio + $LISTEN_FDS + N in total)", "0"},
    {"cgroup", "", OptionKind::list,
     "run the process in (existing) sub-cgroup(s); the format is [<controller>:]<cgroup>"},
    {"ignore-paused", "", OptionKind::flag, "allow exec in a paused container"},
    {"no-subreaper", "", OptionKind::flag, "accepted for old callers and ignored", "", true},
};

struct UserId {
  uint32_t uid = 0;
  std::optional<uint32_t> gid;
};

// "UID[:GID]", decimal, to the last character, no names and nothing like "1x" or " 1"
// (CVE-2026-30892). (uint32_t)-1 is no ID (chown(2)). Throws Error.
UserId parse_user(std::string_view text);

// Adds a capability as runc's --cap does: bounding, effective and permitted, never inheritable
// (CVE-2022-29162). Ambient only when the container has it inheritable: the kernel refuses it
// otherwise (capabilities(7)).
void add_capability(configs::Capabilities& capabilities, const std::string& name);

// What the options say, on top of config.json's process; `container_capabilities` are where --cap
// starts when the process names none. The terminal is --tty's alone. Throws Error.
void apply_options(const Options& options,
                   const std::optional<configs::Capabilities>& container_capabilities,
                   specconv::Process& process);

// The options above that apply_options would act on, but that mean nothing beside --process.
std::vector<std::string_view> overridden_by_process_file(const Options& options);

}  // namespace hull::cmd
