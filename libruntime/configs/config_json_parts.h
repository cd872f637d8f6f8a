#pragma once

#include "libruntime/configs/config.h"
#include "libruntime/configs/json_reader.h"
#include "libruntime/configs/json_writer.h"
#include "libruntime/configs/names.h"

// The JSON form of those parts of a Config that few containers have. For .cpp files only.
namespace hull::configs {

void read_rare_parts(const reading::Json& config, Config& out);

template <class Sink>
void write_scheduler(JsonWriter<Sink>& to, const Scheduler& in) {
  to.object("scheduler", [&] {
    to.put("policy", name_of(kSchedulerPolicies, in.policy));
    to.put_given("nice", in.nice);
    to.put_given("priority", in.priority);
    to.list_given("flags", in.flags,
                  [&](uint64_t flag) { to.value(name_of(kSchedulerFlags, flag)); });
    to.put_given("runtime", in.runtime);
    to.put_given("deadline", in.deadline);
    to.put_given("period", in.period);
  });
}

template <class Sink>
void write_io_priority(JsonWriter<Sink>& to, const IoPriority& in) {
  to.object("io_priority", [&] {
    to.put("class", name_of(kIoClasses, in.io_class));
    to.put("priority", in.priority);
  });
}

// In runc's order; nothing for what is not given.
template <class Sink>
void write_rare_parts(JsonWriter<Sink>& to, const Config& in) {
  if (in.scheduler) write_scheduler(to, *in.scheduler);
  if (in.io_priority) write_io_priority(to, *in.io_priority);
}

}  // namespace hull::configs
