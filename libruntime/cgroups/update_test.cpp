#include "libruntime/cgroups/update.h"

#include "libruntime/system/catch.h"

namespace hull::cgroups {
namespace {

using configs::Resources;

Resources memory(int64_t limit, int64_t both) {
  Resources out;
  out.memory = limit;
  out.memory_swap = both;
  return out;
}

// {memory, both}
using Pair = std::pair<int64_t, int64_t>;
Pair target(Pair old, Pair changes, bool v2) {
  const Resources out =
      updated(memory(old.first, old.second), memory(changes.first, changes.second), v2);
  return {out.memory, out.memory_swap};
}

TEST_CASE("limits that an update does not name stay, each for itself") {
  Resources old;
  old.devices = {{'c', 1, 3, "rwm", true}};
  old.memory = 1;
  old.cpuset_cpus = "0-1";
  old.cpuset_mems = "0";
  old.cpu_burst = 3;
  old.cpu_idle = 1;
  old.pids_limit = 10;
  old.unified = {{"memory.high", "5"}};
  Resources changes;
  changes.memory_reservation = 2;
  changes.devices = {{'a', -1, -1, "rwm", true}};
  const Resources out = updated(old, changes, false);
  CHECK(out.memory == 1);
  CHECK(out.memory_reservation == 2);
  CHECK(out.cpuset_cpus == "0-1");
  CHECK(out.cpuset_mems == "0");
  CHECK(out.cpu_burst == 3U);
  CHECK(out.cpu_idle == 1);
  CHECK(out.pids_limit == 10);
  CHECK(out.unified.at("memory.high") == "5");
  REQUIRE(out.devices.size() == 1);
  CHECK(out.devices[0].type == 'c');
}

TEST_CASE("lists are merged by device, page size, interface and file") {
  Resources old;
  old.throttle_read_bps = {{8, 0, 1}, {8, 16, 2}};
  old.blkio_weight_device = {{8, 0, 100, 200}};
  old.hugetlb = {{"2MB", 1}, {"1GB", 2}};
  old.net_prio = {{"eth0", 1}};
  old.rdma["mlx5_0"] = {1, 2};
  old.unified = {{"a.b", "1"}};
  Resources changes;
  changes.throttle_read_bps = {{8, 16, 9}, {9, 0, 4}};
  changes.blkio_weight_device = {{8, 0, 0, 300}, {8, 16, 50, 0}};
  changes.hugetlb = {{"2MB", 5}};
  changes.net_prio = {{"eth0", 7}, {"eth1", 8}};
  changes.rdma["mlx5_0"] = {std::nullopt, 9};
  changes.unified = {{"c.d", "2"}};
  const Resources out = updated(old, changes, true);
  REQUIRE(out.throttle_read_bps.size() == 3);
  CHECK(out.throttle_read_bps[0].rate == 1);
  CHECK(out.throttle_read_bps[1].rate == 9);
  CHECK(out.throttle_read_bps[2].major == 9);
  REQUIRE(out.blkio_weight_device.size() == 2);
  CHECK(out.blkio_weight_device[0].weight == 100);
  CHECK(out.blkio_weight_device[0].leaf_weight == 300);
  CHECK(out.blkio_weight_device[1].weight == 50);
  CHECK(out.hugetlb[0].limit == 5);
  CHECK(out.hugetlb[1].limit == 2);
  CHECK(out.net_prio[0].priority == 7);
  CHECK(out.net_prio[1].interface == "eth1");
  CHECK(out.rdma.at("mlx5_0").hca_handles == 1U);
  CHECK(out.rdma.at("mlx5_0").hca_objects == 9U);
  CHECK(out.unified.size() == 2);
}

TEST_CASE("memory and swap have one target: every transition") {
  // Both named, or nothing that bears on the other.
  for (const bool v2 : {false, true}) {
    CHECK(target({0, 0}, {100, 0}, v2) == Pair{100, 0});
    CHECK(target({0, 0}, {100, 150}, v2) == Pair{100, 150});
    CHECK(target({100, 150}, {200, 300}, v2) == Pair{200, 300});
    CHECK(target({100, 150}, {0, 400}, v2) == Pair{100, 400});
    CHECK(target({100, 150}, {0, -1}, v2) == Pair{100, -1});
    CHECK(target({100, -1}, {200, 0}, v2) == Pair{200, -1});
    CHECK(target({100, 150}, {-1, -1}, v2) == Pair{-1, -1});
    CHECK(target({100, 150}, {-1, 0}, v2) == Pair{-1, -1});
    CHECK(target({100, 0}, {-1, 0}, v2) == Pair{-1, 0});
    CHECK(target({-1, -1}, {100, 0}, v2) == Pair{100, -1});
  }
  // Memory alone: v1 has a file for both together, v2 one for swap.
  CHECK(target({100, 150}, {120, 0}, false) == Pair{120, 150});
  CHECK(target({100, 150}, {120, 0}, true) == Pair{120, 170});
  CHECK(target({100, 150}, {50, 0}, true) == Pair{50, 100});
  CHECK(target({-1, 50}, {100, 0}, true) == Pair{100, 150});
}

TEST_CASE("what is written with a change is what the kernel takes as one setting") {
  const auto written = [](const Resources& old, const Resources& changes) {
    return to_write(changes, updated(old, changes, true));
  };
  CHECK(written(memory(100, 150), memory(0, 400)).memory == 100);
  CHECK(written(memory(100, 150), memory(200, 0)).memory_swap == 0);
  CHECK(written(memory(100, 150), memory(-1, 0)).memory_swap == -1);
  Resources idle;
  idle.cpu_idle = 1;
  idle.cpu_shares = 512;
  idle.cpu_weight = 59;
  Resources shares;
  shares.cpu_shares = 1024;
  CHECK(written(idle, shares).cpu_idle == 1);
  Resources busy;
  busy.cpu_idle = 0;
  CHECK(written(idle, busy).cpu_shares == 512);
  CHECK(written(idle, busy).cpu_weight == 59);
  CHECK(written(idle, busy).memory == 0);
}

}  // namespace
}  // namespace hull::cgroups
