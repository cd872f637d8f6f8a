#include "libruntime/configs/config_json.h"

#include <nlohmann/json.hpp>

#include "libruntime/system/catch.h"
#include "libruntime/system/error.h"

namespace {

using namespace hull::configs;
using Json = nlohmann::json;

// Every member set to something that is not its default.
Config full() {
  Config c;
  c.version = "1.3.0";
  c.rootfs = "/r";
  c.no_pivot_root = c.readonly_rootfs = c.no_new_privileges = c.no_new_keyring = true;
  c.rootless_euid = c.rootless_cgroups = true;
  c.umask = 18;
  c.root_propagation = 0x84000;
  Mount mount;
  mount.source = "s";
  mount.destination = "/d";
  mount.type = "tmpfs";
  mount.flags = 2;
  mount.clear_flags = 4;
  mount.propagation = {262144, 540672};
  mount.data = "a,b";
  mount.recursive_set = 2;
  mount.recursive_clear = 0x70;
  mount.copy_up = mount.idmap_recursive = mount.destination_nofollow = true;
  mount.uid_mappings = {{0, 1, 2}};
  mount.gid_mappings = {{3, 4, 5}};
  c.mounts = {mount, {}};
  c.devices = {{"/dev/x", 'b', 8, 1, 0600, 7, 8}};
  c.mount_label = "ml";
  c.hostname = "h";
  c.domainname = "d";
  c.namespaces = {{NamespaceType::network, ""}, {NamespaceType::time, "/proc/1/ns/time"}};
  c.capabilities = Capabilities{{"CAP_KILL"}, {"CAP_CHOWN"}, {}, {"CAP_FOWNER"}, {"CAP_SYSLOG"}};
  c.cgroup = {"n", "p", "/path", "sp", true, true, false, {}, "", {}, 1234};
  Resources& r = c.cgroup.resources;
  r.devices = {{'a', -1, -1, "rwm", false}, {'c', 1, 3, "r", true}};
  r.memory = -1;
  r.memory_reservation = 1;
  r.memory_swap = 2;
  r.memory_swappiness = 0;
  r.oom_kill_disable = true;
  r.memory_check_before_update = true;
  r.cpu_shares = 3;
  r.cpu_quota = -1;
  r.cpu_burst = 0;
  r.cpu_period = UINT64_MAX;
  r.cpu_rt_runtime = 5;
  r.cpu_rt_period = 6;
  r.cpu_weight = 7;
  r.cpu_idle = 0;
  r.cpuset_cpus = "0";
  r.cpuset_mems = "1";
  r.pids_limit = 0;
  r.blkio_weight = 10;
  r.blkio_leaf_weight = 11;
  r.blkio_weight_device = {{8, 0, 12, 13}};
  r.throttle_read_bps = {{8, 0, 1}};
  r.throttle_write_bps = {{8, 0, 2}};
  r.throttle_read_iops = {{8, 0, 3}};
  r.throttle_write_iops = {{8, 0, 4}};
  r.hugetlb = {{"2MB", 5}};
  r.net_prio = {{"eth0", 6}};
  r.net_cls_classid = 7;
  r.rdma["mlx"] = {1, std::nullopt};
  r.unified["memory.high"] = "1";
  c.networks = {{"veth", "n", "br0", "02:00:00:00:00:01", "10.0.0.2/8", "10.0.0.1", "fd::2/64",
                 "fd::1", 1400, 7, "vethXXXX", true},
                {"loopback", "", "", "", "", "", "", "", 1500, 0, "", false}};
  c.routes = {{"10.1.0.0/16", "10.0.0.2", "10.0.0.9", "eth0"}, {}};
  c.parent_death_signal = 9;
  c.apparmor_profile = "ap";
  c.process_label = "pl";
  c.rlimits = {{7, 2, 1}};
  c.oom_score_adj = -5;
  c.uid_mappings = {{0, 1000, 1}};
  c.gid_mappings = {{0, 1001, 1}};
  c.mask_paths = {"/m"};
  c.readonly_paths = {"/ro"};
  c.sysctl["net.a"] = "\"1\"\n";
  c.seccomp.emplace().default_action = SeccompAction::errno_;
  c.seccomp->default_errno_ret = 38;
  c.seccomp->architectures = {"amd64"};
  c.seccomp->flags_given = true;
  c.seccomp->flags = {"SECCOMP_FILTER_FLAG_LOG"};
  c.seccomp->listener_path = "/l";
  c.seccomp->listener_metadata = "md";
  c.seccomp->calls = {
      {"read", SeccompAction::kill_process, std::nullopt, {}},
      {"personality",
       SeccompAction::errno_,
       5,
       {{1, UINT64_MAX, 2, SeccompOperator::masked_eq}, {0, 0, 0, SeccompOperator::gt}}}};
  const Hook hook{"/h", {"a"}, {"E=1"}, "/dir", 5'000'000'000};
  c.hooks = {{hook}, {hook, {}}, {hook}, {hook}, {hook}, {hook}};
  c.scheduler = Scheduler{6, 1, 2, {0x01, 0x40}, 3, 4, UINT64_MAX};
  c.io_priority = IoPriority{3, 7};
  c.personality = 8;
  c.memory_policy = MemoryPolicy{3, 1 << 15, {5}};
  c.exec_cpu_affinity = CpuAffinity{{1, 0, 2}, {}};
  c.time_offsets = {{"boottime", {-1, 0}}, {"monotonic", {100, 5}}};
  c.net_devices = {{"eth0", "c\"0"}, {"eth1", ""}};
  c.intel_rdt = IntelRdt{"c", {"L2:0=1"}, "L3:0=f", "MB:0=10", true};
  c.labels = {"bundle=/b", "k=\xc3\xa4"};
  return c;
}

}  // namespace

TEST_CASE("a config survives its JSON form", "[configs][L50][L51][L53][L56][L58]") {
  for (const Config& config : {Config{}, full()}) {
    const std::string text = config_to_json(config);
    const Config again = config_from_text(text);
    CHECK(config_to_json(again) == text);
    CHECK(again.seccomp.has_value() == config.seccomp.has_value());
    CHECK(again.cgroup.resources.pids_limit == config.cgroup.resources.pids_limit);
    CHECK(again.cgroup.resources.cpu_burst == config.cgroup.resources.cpu_burst);
    CHECK(again.capabilities.has_value() == config.capabilities.has_value());
    CHECK(again.mounts.size() == config.mounts.size());
    CHECK(again.labels == config.labels);
    CHECK(again.sysctl == config.sysctl);
  }
}

TEST_CASE("the loopback of a new network namespace is written, and read as what needs no words",
          "[configs][L57]") {
  const std::string plain =
      R"("networks":[{"type":"loopback","name":"","bridge":"","mac_address":"","address":"","gateway":"",)"
      R"("ipv6_address":"","ipv6_gateway":"","mtu":0,"txqueuelen":0,"host_interface_name":"",)"
      R"("hairpin_mode":false}])";
  Config config;
  config.namespaces = {{NamespaceType::network, ""}};
  std::string text = config_to_json(config);
  CHECK(text.find(plain) != std::string::npos);
  CHECK(config_from_text(text).networks.empty());
  // What says more, or stands where it does not go without saying, stays.
  config.networks = {{}};
  config.networks[0].type = "loopback";
  config.networks[0].name = "x";
  text = config_to_json(config);
  CHECK(config_to_json(config_from_text(text)) == text);
  config.networks[0].name.clear();
  config.namespaces.clear();
  text = config_to_json(config);
  CHECK(text.find(plain) != std::string::npos);
  CHECK(config_to_json(config_from_text(text)) == text);
  // A pair comes with the loopback device.
  config.namespaces = {{NamespaceType::network, ""}};
  config.networks[0].type = "veth";
  CHECK(config_from_text(config_to_json(config)).networks.size() == 2);
}

TEST_CASE("text and tree say the same", "[configs]") {
  for (const Config& config : {Config{}, full()}) {
    Json tree;
    config_to_json(config, tree);
    CHECK(tree == Json::parse(config_to_json(config)));
    CHECK(config_to_json(config_from_text(tree.dump())) == config_to_json(config));
  }
}

TEST_CASE("the shapes are runc's", "[configs]") {
  const Json json = Json::parse(config_to_json(full()));
  CHECK(json["namespaces"][0] == Json::parse(R"({"type":"NEWNET","path":""})"));
  CHECK(json["networks"][0]["txqueuelen"] == 7);
  CHECK(json["routes"][0]["interface_name"] == "eth0");
  CHECK(json["devices"][0]["type"] == 98);
  CHECK(json["cgroups"]["devices"][0]["type"] == 97);
  CHECK(json["mounts"][0]["rec_attr"] ==
        Json::parse(R"({"Attr_set":2,"Attr_clr":112,"Propagation":0,"Userns_fd":0})"));
  CHECK(json["mounts"][0]["extensions"] == 0x20001);  // runc's EXT_COPYUP and one of ours
  CHECK(json["mounts"][1]["propagation_flags"].is_null());
  CHECK(json["capabilities"]["Inheritable"].is_null());
  CHECK(json["seccomp"]["default_action"] == 2);
  CHECK(json["seccomp"]["syscalls"][0]["action"] == 9);
  CHECK(json["seccomp"]["syscalls"][1]["args"][0]["op"] == 7);
  CHECK(json["Hooks"]["prestart"][0]["timeout"] == 5'000'000'000);
  CHECK(json["Hooks"]["createRuntime"][1]["args"].is_null());
  CHECK(json["umask"] == 18);
  CHECK(json["scheduler"] == Json::parse(R"({"policy":"SCHED_DEADLINE","nice":1,"priority":2,
    "flags":["SCHED_FLAG_RESET_ON_FORK","SCHED_FLAG_UTIL_CLAMP_MAX"],
    "runtime":3,"deadline":4,"period":18446744073709551615})"));
  CHECK(json["io_priority"] == Json::parse(R"({"class":"IOPRIO_CLASS_IDLE","priority":7})"));
  CHECK(json["personality"] == Json::parse(R"({"domain":8})"));
  CHECK(json["time_offsets"] ==
        Json::parse(R"({"boottime":{"secs":-1},"monotonic":{"secs":100,"nanosecs":5}})"));
  CHECK(json["memory_policy"] == Json::parse(R"({"mode":3,"flags":32768,
    "nodes":[5,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0]})"));
  CHECK(json["exec_cpu_affinity"] ==
        Json::parse(R"({"Initial":[1,0,2,0,0,0,0,0,0,0,0,0,0,0,0,0],"Final":null})"));
  CHECK(json["netDevices"] == Json::parse(R"({"eth0":{"name":"c\"0"},"eth1":{}})"));
  CHECK(json["intel_rdt"] ==
        Json::parse(R"({"closID":"c","schemata":["L2:0=1"],"l3_cache_schema":"L3:0=f",
    "memBwSchema":"MB:0=10","enableMonitoring":true})"));
  CHECK(config_from_text(json.dump()).exec_cpu_affinity->initial == std::vector<uint64_t>{1, 0, 2});
}

TEST_CASE("absent flags of seccomp are written as the default that they mean", "[configs]") {
  Config config = config_from_text(R"({"seccomp":{"default_action":4}})");
  CHECK(Json::parse(config_to_json(config))["seccomp"]["flags"] ==
        Json::parse(R"(["SECCOMP_FILTER_FLAG_SPEC_ALLOW"])"));
  config.seccomp->flags_given = true;
  CHECK(Json::parse(config_to_json(config))["seccomp"]["flags"].is_null());
  CHECK(config_from_text(config_to_json(config)).seccomp->flags_given);
  CHECK_FALSE(config_from_text(R"({"seccomp":{"default_action":4}})").seccomp->flags_given);
}

TEST_CASE("what other versions of runc write is read", "[configs]") {
  const Config config = config_from_text(R"({
    "capabilities": null, "umask": null, "mounts": null, "uid_mappings": null, "seccomp": null,
    "Hooks": {"prestart": null, "poststop": [{"path": "/p", "args": null, "env": null, "dir": "", "timeout": null}]},
    "networks": [{"type": "loopback"}], "routes": null, "parent_death_signal": 0,
    "cgroups": {"name": "x", "path": "", "freezer": "", "pids_limit": 0, "memory_swappiness": null,
                "unified": null, "cpu_rt_quota": 0}})");
  CHECK_FALSE(config.capabilities);
  CHECK(config.hooks.poststop.at(0).path == "/p");
  CHECK_FALSE(config.cgroup.resources.pids_limit);

  const Config old =
      config_from_text(R"({"mounts":[{"source":"a","destination":"/b","device":"bind",
    "flags":20480,"propagation_flags":[262144],"premount_cmds":null,"relabel":"",
    "uid_mappings":[{"container_id":0,"host_id":1,"size":2}]}],
    "seccomp":{"default_action":8,"syscalls":[{"name":"a","action":1,"args":null}]},
    "cgroups":{"pids_limit":null}})");
  CHECK(old.mounts.at(0).uid_mappings.at(0).size == 2);
  CHECK(old.seccomp->default_action == SeccompAction::kill_thread);
  CHECK(config_from_text(R"({"cgroups":{"pids_limit":0}})").cgroup.resources.pids_limit == 0);
}

TEST_CASE("a damaged config is refused", "[configs]") {
  for (const char* text :
       {"", "[]", "1", R"({"rootfs":1})", R"({"umask":-1})", R"({"umask":4294967296})",
        R"({"umask":1.5})", R"({"mounts":{}})", R"({"mounts":[1]})", R"({"labels":[1]})",
        R"({"namespaces":[{"type":"NEWX"}]})", R"({"devices":[{"type":300}]})",
        R"({"seccomp":{"default_action":77}})", R"({"scheduler":{"policy":"SCHED_X"}})",
        R"({"io_priority":{"class":3}})", R"({"seccomp":{}})", R"({"sysctl":{"a":1}})",
        R"({"cgroups":{"devices":[{"type":99,"major":"x"}]}})"}) {
    INFO(text);
    CHECK_THROWS_AS(config_from_text(text), hull::Error);
  }
}

TEST_CASE("bytes that are no UTF-8 still give JSON", "[configs]") {
  Config config;
  config.labels = {"bundle=/\xff"};
  CHECK(config_from_text(config_to_json(config)).labels.at(0) == "bundle=/\xef\xbf\xbd");
}
