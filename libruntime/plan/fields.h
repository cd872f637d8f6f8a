#pragma once

#include "libruntime/configs/config.h"
#include "libruntime/configs/resolved.h"
#include "libruntime/plan/plan.h"

// How each struct of a Plan goes through the codec: its members, once for both directions. They are
// found by argument-dependent lookup, so each stands in the namespace of its struct.
namespace hull::configs {

template <class A>
void fields(A& a, IdMap& v) {
  a(v.container_id, v.host_id, v.size);
}
template <class A>
void fields(A& a, Mount& v) {
  a(v.source, v.destination, v.type, v.flags, v.clear_flags, v.propagation, v.data, v.recursive_set,
    v.recursive_clear, v.copy_up, v.source_nofollow, v.destination_nofollow, v.copy_symlink,
    v.uid_mappings, v.gid_mappings, v.idmap_recursive);
}
template <class A>
void fields(A& a, Device& v) {
  a(v.path, v.type, v.major, v.minor, v.file_mode, v.uid, v.gid);
}
template <class A>
void fields(A& a, Rlimit& v) {
  a(v.type, v.hard, v.soft);
}
template <class A>
void fields(A& a, Scheduler& v) {
  a(v.policy, v.nice, v.priority, v.flags, v.runtime, v.deadline, v.period);
}
template <class A>
void fields(A& a, IoPriority& v) {
  a(v.io_class, v.priority);
}
template <class A>
void fields(A& a, MemoryPolicy& v) {
  a(v.mode, v.flags, v.nodes);
}
template <class A>
void fields(A& a, Hook& v) {
  a(v.path, v.args, v.env, v.dir, v.timeout_ns);
}
template <class A>
void fields(A& a, CapabilityMasks& v) {
  a(v.bounding, v.effective, v.inheritable, v.permitted, v.ambient);
}
template <class A>
void fields(A& a, SeccompProgram& v) {
  a(v.instructions, v.flags, v.notifies);
}
template <class A>
void fields(A& a, CgroupController& v) {
  a(v.name, v.host_path, v.options, v.links);
}

}  // namespace hull::configs

namespace hull::plan {

template <class A>
void fields(A& a, CgroupView& v) {
  a(v.v2, v.own_namespace, v.unified_path, v.controllers);
}
template <class A>
void fields(A& a, Rootfs& v) {
  a(v.path, v.readonly, v.no_pivot, v.bind_devices, v.user_namespace, v.propagation, v.mounts,
    v.devices, v.gid_mappings, v.mask_paths, v.readonly_paths, v.mount_label, v.cgroup);
}
template <class A>
void fields(A& a, Process& v) {
  a(v.args, v.env, v.cwd, v.uid, v.gid, v.groups, v.set_groups, v.umask, v.terminal, v.rows,
    v.columns, v.rlimits, v.capabilities, v.no_new_privileges, v.apparmor_profile, v.selinux_label,
    v.oom_score_adj, v.scheduler, v.io_priority, v.personality, v.memory_policy, v.seccomp,
    v.preserve_fds);
}
template <class A>
void fields(A& a, Plan& v) {
  a(v.kind, v.id, v.process, v.has_process, v.rootfs, v.has_mount_namespace,
    v.joined_user_namespace, v.new_namespaces, v.unshare_cgroup, v.join_by_pidfd,
    v.enter_pid_namespace, v.hostname, v.domainname, v.sysctl, v.session_keyring, v.loopback_up,
    v.runtime_hooks, v.create_container_hooks, v.start_container_hooks, v.creating_state,
    v.created_state, v.rlimits_from_outside, v.start_now, v.wait_when_created,
    v.parent_death_signal, v.log_level, v.memory_tasks, v.namespace_fds, v.pidfd, v.exec_fifo,
    v.hook_stdout, v.hook_stderr);
}

}  // namespace hull::plan
