#pragma once

#include "libruntime/init/session.h"

// The steps of hull-init in the order in which they happen; each throws Error. One file a step's
// subject.
namespace hull::init {

// namespaces.cpp
// setns(2) into what is joined (and for a joined user namespace makes the others inside it), the
// cgroup namespace.
void join_namespaces(Session& session);
// A session and a session keyring of its own, loopback up.
void start_session(Session& session);

// container.cpp: only for a container's init.
void prepare_rootfs(Session& session);
// prestart and createRuntime (by the launcher), then createContainer.
void run_early_hooks(Session& session);
// pivot_root, the terminal, then read-only remounts.
void enter_rootfs(Session& session);
void set_names(Session& session);
void set_kernel_parameters(Session& session);
void protect_paths(Session& session);

// console.cpp
// Makes the pty, when there is to be one: slave on fds 0-2 and as controlling terminal, master to
// the launcher.
void open_console(Session& session);
// Makes fd 0 the controlling terminal.
void take_terminal();

// pid_namespace.cpp: only for exec.
// Whether the PID namespace can be entered last, by a process that has no more rights than the
// program. Else it is entered first.
bool can_enter_last(const plan::Plan& plan);
// A second process, in the PID namespace that was joined, takes this one's place.
void enter_pid_namespace(Session& session);

// namespaces.cpp
// Enters the v1 memory cgroup, unless that was done: from here on the container pays.
void enter_memory_cgroup(Session& session);

// scheduling.cpp
// Personality, memory policy, scheduler and I/O priority. Before the filter of seccomp, which may
// not allow the calls.
void set_scheduling(Session& session);

// identity.cpp
// Labels, limits, seccomp (without no_new_privs), working directory, user, groups, capabilities.
void become_user(Session& session);
// Loads the filter, if any; the listener of one that notifies goes to the launcher.
void load_seccomp(Session& session);

// program.cpp
// Says `created`, waits for the start, runs the startContainer hooks, loads seccomp (with
// no_new_privs) and becomes the user's program.
[[noreturn]] void start_program(Session& session);

}  // namespace hull::init
