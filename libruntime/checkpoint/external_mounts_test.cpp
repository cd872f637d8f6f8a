#include "libruntime/checkpoint/external_mounts.h"

#include <unistd.h>

#include <set>

#include "libruntime/system/catch.h"
#include "libruntime/system/syscalls.h"

namespace hull::checkpoint {
namespace {

configs::Mount bind(const std::string& source, const std::string& destination) {
  configs::Mount out;
  out.source = source;
  out.destination = destination;
  out.type = "bind";
  out.flags = MS_BIND;
  return out;
}

TEST_CASE(
    "each external mount has a key of its own, in letters that mean "
    "nothing to criu",
    "[security]") {
  configs::Config config;
  // CVE-2026-119101: names with criu's separators in them, and one name twice.
  config.mounts = {bind("/1", "/a"), bind("/2", "/b]:c"), bind("/3", "/b"),
                   bind("/4", "/a"), bind("/5", "/x\ny"), bind("/6", "mnt[/a]:z")};
  config.devices.push_back({"/dev/fuse", 'c', 10, 229, 0666, 0, 0});
  std::set<std::string> keys;
  const auto sources =
      external_sources(config, {{"cpu,cpuacct", "/cg/cpu", "", {}}}, "/cg/unified", "/n");
  for (const ExternalSource& one : sources) {
    CHECK(one.key.find_first_of("[]:/\n ") == std::string::npos);
    CHECK(keys.insert(one.key).second);
  }
  CHECK(sources.size() == 6 + 1 + 1 + 1 + 1 + 1);
}

TEST_CASE("a mount keeps its key when others come and go") {
  const auto key_of = [](const configs::Config& config, const std::string& source) {
    for (const ExternalSource& one : external_sources(config, {}, "", "/n"))
      if (one.source == source) return one.key;
    return std::string();
  };
  configs::Config before;
  configs::Config after;
  before.mounts = {bind("/1", "/a"), bind("/2", "/b")};
  after.mounts = {bind("/0", "/new"), bind("/2", "/b"), bind("/1", "/a")};
  CHECK(key_of(before, "/1") == key_of(after, "/1"));
  CHECK(key_of(before, "/2") == key_of(after, "/2"));
  CHECK(key_of(before, "/1") != key_of(before, "/2"));
}

TEST_CASE("mounts of a process are found by their roots only") {
  const ContainerMounts own(getpid());
  const MountInfo* proc = own.at("/proc");
  REQUIRE(proc != nullptr);
  CHECK(proc->fs_type == "proc");
  CHECK(own.by_id(proc->id) == proc);
  CHECK(own.at("/proc/self") == nullptr);
  CHECK(own.at("/nonexistent") == nullptr);
}

}  // namespace
}  // namespace hull::checkpoint
