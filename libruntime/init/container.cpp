#include <sched.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "libruntime/init/steps.h"
#include "libruntime/plan/hooks.h"
#include "libruntime/rootfs/rootfs.h"
#include "libruntime/system/error.h"
#include "libruntime/system/files.h"
#include "libruntime/system/root_path.h"

namespace hull::init {

void prepare_rootfs(Session& session) {
  const plan::Plan& plan = session.plan;
  if (plan.has_mount_namespace) {
    session.root = rootfs::prepare(plan.rootfs, [&](size_t index) {
      session.channel.send_number(plan::MessageType::mount_source, static_cast<int>(index));
      std::vector<Fd> fds = session.wait_to_proceed();
      if (fds.size() != 1) throw Error("the launcher gave no mount tree");
      return std::move(fds[0]);
    });
  } else {
    session.root = open_or_throw(AT_FDCWD, plan.rootfs.path, O_PATH | O_DIRECTORY);
  }
}

void run_early_hooks(Session& session) {
  const plan::Plan& plan = session.plan;
  if (plan.runtime_hooks) {
    session.channel.send(plan::MessageType::ready_for_hooks);
    session.wait_to_proceed();
  }
  if (!plan.create_container_hooks.empty())
    plan::run_hooks(plan.create_container_hooks, "createContainer",
                    plan::with_pid(plan.creating_state, getpid()), false, session.hook_output(),
                    session.channel.fd());
}

void enter_rootfs(Session& session) {
  const plan::Plan& plan = session.plan;
  // While the host's procfs is still there to fall back on.
  if (session.exec_fifo || !plan.sysctl.empty() || !plan.process.apparmor_profile.empty() ||
      !plan.process.selinux_label.empty())
    session.trusted_proc();
  rootfs::enter(plan.rootfs, session.root.get());
  session.root.reset();
  if (plan.has_process && plan.process.cwd.size() > 1) {
    // config.md#process: made when it is missing, as runc does.
    const RootPath root(open_or_throw(AT_FDCWD, "/", O_PATH | O_DIRECTORY));
    try {
      const Fd made = root.mkdir_all(plan.process.cwd, 0755);
    } catch (Error& e) {
      e.set_stage("making the working directory");
      e.set_field("/process/cwd");
      throw;
    }
  }
  open_console(session);
  if (plan.has_mount_namespace) rootfs::make_readonly(plan.rootfs);
}

void set_names(Session& session) {
  const plan::Plan& plan = session.plan;
  if (!plan.hostname.empty() && sethostname(plan.hostname.c_str(), plan.hostname.size()) != 0)
    throw Error("cannot set the host name", "sethostname", errno).field("/hostname");
  if (!plan.domainname.empty() &&
      setdomainname(plan.domainname.c_str(), plan.domainname.size()) != 0)
    throw Error("cannot set the domain name", "setdomainname", errno).field("/domainname");
}

void set_kernel_parameters(Session& session) {
  for (const auto& [name, value] : session.plan.sysctl) {
    std::string path = name;
    // sysctl(8): with a "/" in it the name is a path already, and a "." belongs to an interface's
    // name.
    if (name.find('/') == std::string::npos) std::replace(path.begin(), path.end(), '.', '/');
    try {
      session.trusted_proc().write("sys/" + path, value);
    } catch (Error& e) {
      e.set_stage("setting sysctl " + quote(name));
      e.set_field("/linux/sysctl/" + name);
      throw;
    }
  }
}

void protect_paths(Session& session) {
  if (!session.plan.has_mount_namespace) return;
  rootfs::protect_paths(session.plan.rootfs);
  rootfs::set_root_propagation(session.plan.rootfs);
}

}  // namespace hull::init
