#include <cerrno>

#include "libruntime/init/steps.h"
#include "libruntime/scheduling/memory_policy.h"
#include "libruntime/scheduling/personality.h"
#include "libruntime/scheduling/priority.h"
#include "libruntime/system/error.h"

namespace hull::init {

namespace {

void set_priority(Session& session) {
  const plan::Process& process = session.plan.process;
  try {
    if (process.scheduler) scheduling::set_scheduler(0, *process.scheduler);
    if (process.io_priority) scheduling::set_io_priority(0, *process.io_priority);
  } catch (const Error& e) {
    // Capabilities of a user namespace don't count here (capabilities(7)): the launcher may have
    // the host's.
    if (e.code() != EPERM || !session.plan.rootfs.user_namespace) throw;
    session.channel.send(plan::MessageType::priority);
    session.wait_to_proceed();
  }
}

}  // namespace

void set_scheduling(Session& session) {
  const plan::Process& process = session.plan.process;
  if (process.personality) scheduling::set_personality(*process.personality);
  if (process.memory_policy) scheduling::set_memory_policy(*process.memory_policy);
  if (process.scheduler || process.io_priority) set_priority(session);
}

}  // namespace hull::init
