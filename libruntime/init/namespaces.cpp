#include <sched.h>
#include <unistd.h>

#include <cerrno>

#include "libruntime/configs/names.h"
#include "libruntime/init/steps.h"
#include "libruntime/network/loopback.h"
#include "libruntime/security/keyring.h"
#include "libruntime/security/lsm.h"
#include "libruntime/system/error.h"

namespace hull::init {
namespace {

void setns_or_throw(int fd, uint64_t flag, std::string_view name) {
  if (setns(fd, static_cast<int>(flag)) != 0)
    throw Error("cannot join the " + std::string(name) + " namespace", "setns", errno)
        .field("/linux/namespaces");
}

// In a user namespace that was joined this process is nobody until it takes its root's IDs. IDs 0
// that are not mapped there are no error: the program's own may still be.
void take_root_ids() {
  if (setresgid(0, 0, 0) != 0 && errno != EINVAL)
    throw Error("cannot become the root group of the user namespace", "setresgid", errno);
  if (setresuid(0, 0, 0) != 0 && errno != EINVAL)
    throw Error("cannot become the root user of the user namespace", "setresuid", errno);
}

}  // namespace

void join_namespaces(Session& session) {
  const plan::Plan& plan = session.plan;
  if (plan.join_by_pidfd != 0 &&
      setns(session.pidfd.get(), static_cast<int>(plan.join_by_pidfd)) != 0)
    throw Error("cannot join the container's namespaces", "setns", errno);
  // A user namespace first gives up rights that joining another one may need; one that belongs to
  // it can only be joined after. So: the others, then the user namespace, then what is left
  // (nsenter(1)).
  std::vector<size_t> later;
  for (size_t i = 0; i < session.namespaces.size(); ++i) {
    const configs::NamespaceName& name = configs::name_of(plan.namespace_fds[i]);
    if (name.type == configs::NamespaceType::user) continue;
    if (setns(session.namespaces[i].get(), static_cast<int>(name.flag)) == 0) continue;
    if (errno != EPERM || !plan.joined_user_namespace)
      setns_or_throw(session.namespaces[i].get(), name.flag, name.spec);
    later.push_back(i);
  }
  for (size_t i = 0; i < session.namespaces.size(); ++i)
    if (plan.namespace_fds[i] == configs::NamespaceType::user)
      setns_or_throw(session.namespaces[i].get(), CLONE_NEWUSER, "user");
  if (plan.joined_user_namespace) take_root_ids();
  for (const size_t i : later) {
    const configs::NamespaceName& name = configs::name_of(plan.namespace_fds[i]);
    setns_or_throw(session.namespaces[i].get(), name.flag, name.spec);
  }
  session.namespaces.clear();
  session.pidfd.reset();
  // cgroup_namespaces(7): its root is the cgroup of the moment.
  if (plan.unshare_cgroup) enter_memory_cgroup(session);
  if (plan.unshare_cgroup && unshare(CLONE_NEWCGROUP) != 0)
    throw Error("cannot make a cgroup namespace", "unshare", errno).field("/linux/namespaces");
}

void enter_memory_cgroup(Session& session) {
  if (!session.memory_tasks) return;
  if (write(session.memory_tasks.get(), "0", 1) != 1)
    throw Error("cannot enter the memory cgroup", "write tasks", errno).field("/linux/cgroupsPath");
  session.memory_tasks.reset();
}

void start_session(Session& session) {
  const plan::Plan& plan = session.plan;
  if (setsid() < 0) throw Error("cannot start a session", "setsid", errno);
  if (!plan.session_keyring.empty()) {
    const std::string& label = plan.process.selinux_label;
    if (!label.empty()) security::set_selinux_key_label(session.trusted_proc(), label);
    const int32_t keyring = security::join_session_keyring(plan.session_keyring);
    if (plan.kind == plan::Kind::container)
      security::allow_keyring_search(keyring, plan.rootfs.user_namespace);
    if (!label.empty()) security::clear_selinux_key_label(session.trusted_proc());
  }
  if (plan.loopback_up) network::bring_loopback_up();
}

}  // namespace hull::init
