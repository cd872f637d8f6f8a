#include "libruntime/configs/config_json_parts.h"

namespace hull::configs {
namespace {

using namespace reading;

void read_scheduler(const Json& in, Scheduler& out) {
  get_name(in, "policy", kSchedulerPolicies, out.policy);
  get(in, "nice", out.nice);
  get(in, "priority", out.priority);
  get_list(in, "flags", out.flags, [](const Json& one, uint64_t& flag) {
    to_named_value(one, "flags", kSchedulerFlags, flag);
  });
  get(in, "runtime", out.runtime);
  get(in, "deadline", out.deadline);
  get(in, "period", out.period);
}

void read_io_priority(const Json& in, IoPriority& out) {
  get_name(in, "class", kIoClasses, out.io_class);
  get(in, "priority", out.priority);
}

}  // namespace

void read_rare_parts(const Json& config, Config& out) {
  if (const Json* in = find(config, "scheduler")) read_scheduler(*in, out.scheduler.emplace());
  if (const Json* in = find(config, "io_priority"))
    read_io_priority(*in, out.io_priority.emplace());
}

}  // namespace hull::configs
