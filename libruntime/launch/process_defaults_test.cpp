#include "libruntime/launch/process_defaults.h"

#include "libruntime/system/catch.h"

using hull::configs::Config;
using hull::configs::Process;
using hull::launch::with_defaults;

TEST_CASE("a process takes from the container what it leaves open", "[launch][L30]") {
  Config config;
  config.capabilities.emplace().bounding = {"CAP_KILL"};
  config.rlimits = {{9, 2, 1}};
  config.apparmor_profile = "p";
  config.process_label = "l";
  config.oom_score_adj = 5;
  config.no_new_privileges = true;
  config.scheduler.emplace().policy = 3;
  config.io_priority.emplace().io_class = 3;
  config.exec_cpu_affinity.emplace().initial = {1};
  const Process out = with_defaults({}, config);
  CHECK(out.capabilities->bounding == std::vector<std::string>{"CAP_KILL"});
  CHECK(out.rlimits.size() == 1);
  CHECK(out.apparmor_profile == "p");
  CHECK(out.selinux_label == "l");
  CHECK(out.oom_score_adj == 5);
  CHECK(out.scheduler->policy == 3);
  CHECK(out.io_priority->io_class == 3);
  CHECK(out.exec_cpu_affinity->initial == hull::configs::CpuMask{1});
  CHECK_FALSE(out.no_new_privileges);  // its own affair
}

TEST_CASE("what a process says itself stays", "[launch]") {
  Config config;
  config.capabilities.emplace().bounding = {"CAP_KILL"};
  config.oom_score_adj = 5;
  config.scheduler.emplace().policy = 3;
  Process own;
  own.capabilities.emplace();
  own.oom_score_adj = 0;
  own.scheduler.emplace().policy = 0;
  own.rlimits = {{9, 4, 4}};
  const Process out = with_defaults(own, config);
  CHECK(out.capabilities->bounding.empty());
  CHECK(out.oom_score_adj == 0);
  CHECK(out.scheduler->policy == 0);
  CHECK(out.rlimits[0].hard == 4);
}
