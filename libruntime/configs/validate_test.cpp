#include "libruntime/configs/validate.h"

#include <functional>

#include "libruntime/system/catch.h"
#include "libruntime/system/error.h"

namespace {

using hull::configs::Config;
using hull::configs::NamespaceType;

Config good() {
  Config out;
  out.rootfs = "/r";
  for (const auto type : {NamespaceType::mount, NamespaceType::uts, NamespaceType::ipc,
                          NamespaceType::pid, NamespaceType::network})
    out.namespaces.push_back({type, ""});
  out.hostname = "h";
  out.domainname = "d";
  out.sysctl["net.ipv4.ip_forward"] = "1";
  out.sysctl["kernel.msgmax"] = "1";
  out.mask_paths = {"/proc/kcore"};
  out.rlimits = {{7, 2, 1}};
  return out;
}

}  // namespace

TEST_CASE("what fits together is accepted", "[configs][L59]") {
  CHECK_NOTHROW(hull::configs::validate(good()));
  Config user = good();
  user.namespaces.push_back({NamespaceType::user, ""});
  user.uid_mappings = user.gid_mappings = {{0, 1000, 1}};
  CHECK_NOTHROW(hull::configs::validate(user));
}

TEST_CASE("what no container can be made from is refused by its field", "[configs][L59]") {
  const struct {
    const char* field;
    std::function<void(Config&)> spoil;
  } rows[] = {
      {"/root/path", [](Config& c) { c.rootfs = "r"; }},
      {"/root/path", [](Config& c) { c.rootfs = ""; }},
      {"/linux/namespaces/5",
       [](Config& c) {
         c.namespaces.push_back({NamespaceType::pid, ""});
       }},
      {"/linux/namespaces/5/path",
       [](Config& c) {
         c.namespaces.push_back({NamespaceType::cgroup, "x"});
       }},
      {"/linux/timeOffsets",
       [](Config& c) {
         c.time_offsets["boottime"] = {1, 0};
       }},
      {"/linux/netDevices",
       [](Config& c) {
         c.namespaces.pop_back();
         c.sysctl.clear();
         c.net_devices["eth0"] = "";
       }},
      {"/linux/uidMappings",
       [](Config& c) {
         c.uid_mappings = {{0, 1, 1}};
       }},
      {"/linux/gidMappings",
       [](Config& c) {
         c.namespaces.push_back({NamespaceType::user, ""});
         c.uid_mappings = {{0, 1, 1}};
       }},
      {"/hostname",
       [](Config& c) {
         std::erase_if(c.namespaces, [](const auto& ns) { return ns.type == NamespaceType::uts; });
       }},
      {"/linux/maskedPaths", [](Config& c) { c.namespaces.erase(c.namespaces.begin()); }},
      {"/linux/sysctl/kernel.panic", [](Config& c) { c.sysctl["kernel.panic"] = "1"; }},
      {"/linux/sysctl/net..x", [](Config& c) { c.sysctl["net..x"] = "1"; }},
      {"/linux/sysctl/net.ipv4.ip_forward", [](Config& c) { c.namespaces.pop_back(); }},
      {"/linux/intelRdt/closID", [](Config& c) { c.intel_rdt.emplace().clos_id = "a/b"; }},
      {"/process/rlimits",
       [](Config& c) {
         c.rlimits.push_back({7, 1, 1});
       }},
      {"/process/rlimits",
       [](Config& c) {
         c.rlimits = {{7, 1, 2}};
       }},
      {"/hooks/startContainer/0",
       [](Config& c) {
         c.hooks.start_container.emplace_back().function = [](const std::string&) {};
       }},
  };
  for (const auto& row : rows) {
    Config config = good();
    row.spoil(config);
    INFO(row.field);
    try {
      hull::configs::validate(config);
      FAIL_CHECK("accepted");
    } catch (const hull::Error& e) {
      CHECK(e.field() == row.field);
      CHECK(e.kind() == hull::ErrorKind::config_invalid);
    }
  }
}
