#include "libruntime/scheduling/affinity.h"

#include <sched.h>
#include <unistd.h>

#include "libruntime/system/catch.h"
#include "libruntime/system/error.h"

namespace hull::scheduling {
namespace {

cpu_set_t own() {
  cpu_set_t set;
  CPU_ZERO(&set);
  sched_getaffinity(0, sizeof set, &set);
  return set;
}

}  // namespace

TEST_CASE("A scope keeps the thread on its CPUs and then gives the others back", "[scheduling]") {
  cpu_set_t before = own();
  int cpu = 0;
  while (!CPU_ISSET(cpu, &before)) ++cpu;
  configs::CpuMask one(static_cast<size_t>(cpu) / 64 + 1);
  one.back() = uint64_t{1} << cpu % 64;
  {
    const AffinityScope scope(one);
    const cpu_set_t now = own();
    CHECK(CPU_COUNT(&now) == 1);
    CHECK(CPU_ISSET(cpu, &now));
  }
  const cpu_set_t after = own();
  CHECK(CPU_EQUAL(&before, &after));
  { const AffinityScope none({}); }
}

TEST_CASE("A scope on CPUs that nobody has is an error", "[scheduling]") {
  configs::CpuMask far(128);
  far.back() = uint64_t{1} << 63;
  CHECK_THROWS_AS(AffinityScope(far), Error);
}

}  // namespace hull::scheduling
