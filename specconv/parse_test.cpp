#include "specconv/parse.h"

#include <string>

#include "libruntime/system/catch.h"
#include "libruntime/system/error.h"

using hull::specconv::parse;
using hull::specconv::parse_process;
using hull::specconv::parse_resources;
using hull::specconv::Spec;

namespace {

// A configuration whose "linux" or "process" object is `text`.
std::string with(const std::string& key, const std::string& text) {
  return R"({"ociVersion":"1.0.2","root":{"path":"r"},")" + key + "\":" + text + "}";
}

std::string error_of(const std::string& json) {
  try {
    (void)parse(json);
  } catch (const hull::Error& e) {
    return e.what();
  }
  return "no error";
}

}  // namespace

TEST_CASE("a minimal config.json is read", "[specconv]") {
  const Spec spec = parse(R"({"ociVersion":"1.0.0","root":{"path":"rootfs"}})");
  CHECK(spec.oci_version == "1.0.0");
  CHECK(spec.root.path == "rootfs");
  CHECK_FALSE(spec.process);
}

TEST_CASE("every field of process is read", "[specconv]") {
  const auto process = parse_process(R"({
    "terminal": true, "consoleSize": {"height": 25, "width": 80},
    "user": {"uid": 4294967295, "gid": 2, "umask": 18, "additionalGids": [3, 4]},
    "args": ["a", ""], "env": ["A=b"], "cwd": "/w",
    "capabilities": {"bounding": ["CAP_KILL"], "effective": ["CAP_CHOWN"], "inheritable": [],
                     "permitted": null, "ambient": ["CAP_SYSLOG"]},
    "rlimits": [{"type": "RLIMIT_NOFILE", "soft": 1, "hard": 18446744073709551615}],
    "noNewPrivileges": true, "apparmorProfile": "p", "selinuxLabel": "l", "oomScoreAdj": -5,
    "scheduler": {"policy": "SCHED_FIFO", "nice": -1, "priority": 2,
                  "flags": ["SCHED_FLAG_RECLAIM"], "runtime": 1, "deadline": 2, "period": 3},
    "ioPriority": {"class": "IOPRIO_CLASS_IDLE", "priority": 4},
    "execCPUAffinity": {"initial": "0-3", "final": "7"}})");
  CHECK(process.terminal);
  CHECK(process.console_size->width == 80);
  CHECK(process.uid == 4294967295U);
  CHECK(process.umask == 18U);
  CHECK(process.additional_gids == std::vector<uint32_t>{3, 4});
  CHECK(process.args == std::vector<std::string>{"a", ""});
  CHECK(process.capabilities->ambient == std::vector<std::string>{"CAP_SYSLOG"});
  CHECK(process.rlimits.at(0).hard == UINT64_MAX);
  CHECK(process.rlimits.at(0).type == 7);
  CHECK(process.oom_score_adj == -5);
  CHECK(process.scheduler->policy == 1);
  CHECK(process.scheduler->flags == std::vector<uint64_t>{2});
  CHECK(process.io_priority->io_class == 3);
  CHECK(process.exec_cpu_affinity->initial == std::vector<uint64_t>{0x0f});
  CHECK(process.exec_cpu_affinity->after == std::vector<uint64_t>{0x80});
}

TEST_CASE("every field of linux is read", "[specconv]") {
  const Spec spec = parse(with("linux", R"({
    "namespaces": [{"type": "pid"}, {"type": "network", "path": "/n"}],
    "uidMappings": [{"containerID": 0, "hostID": 1000, "size": 1}],
    "timeOffsets": {"monotonic": {"secs": -1, "nanosecs": 2}, "other": {}},
    "devices": [{"path": "/dev/x", "type": "u", "major": 1, "minor": 2, "fileMode": 8630}],
    "netDevices": {"eth0": {"name": "c0"}, "eth1": null},
    "cgroupsPath": "/a", "rootfsPropagation": "rslave", "mountLabel": "m",
    "sysctl": {"net.a": "1"}, "maskedPaths": ["/m"], "readonlyPaths": ["/r"],
    "intelRdt": {"closID": "c", "schemata": ["L3:0=f"]},
    "memoryPolicy": {"mode": "MPOL_BIND", "nodes": "0", "flags": ["MPOL_F_STATIC_NODES"]},
    "personality": {"domain": "LINUX32"},
    "seccomp": {"defaultAction": "SCMP_ACT_ERRNO", "defaultErrnoRet": 38,
      "architectures": ["SCMP_ARCH_X86_64"], "flags": [], "listenerPath": "/s",
      "syscalls": [{"names": ["a", "b"], "action": "SCMP_ACT_ALLOW",
        "args": [{"index": 1, "value": 18446744073709551615, "valueTwo": 3, "op": "SCMP_CMP_MASKED_EQ"}]}]}
  })"));
  const auto& in = spec.linux_part;
  REQUIRE(in.find(hull::configs::NamespaceType::network) != nullptr);
  CHECK(in.find(hull::configs::NamespaceType::network)->path == "/n");
  CHECK(in.uid_mappings.at(0).host_id == 1000);
  CHECK(in.time_offsets.at("monotonic").seconds == -1);
  CHECK(in.time_offsets.size() == 1);
  CHECK(in.devices.at(0).type == 'u');
  CHECK(in.devices.at(0).file_mode == 8630U);
  CHECK(in.net_devices.size() == 2);
  CHECK(in.rootfs_propagation == 0x84000U);
  CHECK(in.intel_rdt->clos_id == "c");
  CHECK(in.memory_policy->mode == 2);
  CHECK(in.memory_policy->flags == 1 << 15);
  CHECK(in.memory_policy->nodes == std::vector<uint64_t>{1});
  CHECK(in.personality->domain == 8);
  REQUIRE(in.seccomp);
  CHECK(in.seccomp->flags);
  CHECK(in.seccomp->syscalls.at(0).names.size() == 2);
  CHECK(in.seccomp->syscalls.at(0).args.at(0).value == UINT64_MAX);
}

TEST_CASE("every field of resources is read", "[specconv]") {
  const auto in = parse_resources(R"({
    "devices": [{"allow": false, "access": "rwm"}, {"allow": true, "type": "c", "major": 1, "access": "r"}],
    "memory": {"limit": -1, "reservation": 1, "swap": 2, "kernel": 3, "kernelTCP": 4, "swappiness": 5,
               "disableOOMKiller": true, "useHierarchy": false, "checkBeforeUpdate": true},
    "cpu": {"shares": 1, "quota": -1, "burst": 2, "period": 3, "realtimeRuntime": 4, "realtimePeriod": 5,
            "cpus": "0", "mems": "1", "idle": 1},
    "pids": {"limit": 0},
    "blockIO": {"weight": 10, "leafWeight": 20, "weightDevice": [{"major": 8, "minor": 0, "weight": 30}],
                "throttleWriteIOPSDevice": [{"major": 8, "minor": 0, "rate": 9}]},
    "hugepageLimits": [{"pageSize": "2MB", "limit": 9223372036854772000}],
    "network": {"classID": 4294967295, "priorities": [{"name": "e", "priority": 1}]},
    "rdma": {"m": {"hcaHandles": 1}}, "unified": {"memory.high": "1"}})");
  CHECK(in.devices.at(0).type == 'a');
  CHECK_FALSE(in.devices.at(0).major);
  CHECK(in.memory->limit == -1);
  CHECK(in.memory->use_hierarchy == false);
  CHECK(in.cpu->idle == 1);
  CHECK(in.pids_limit == 0);
  CHECK(in.block_io->weight_device.at(0).weight == 30);
  CHECK(in.block_io->throttle_write_iops.at(0).rate == 9);
  CHECK(in.hugepage_limits.at(0).limit == 9223372036854772000U);
  CHECK(in.network->class_id == UINT32_MAX);
  CHECK(in.rdma.at("m").hca_handles == 1U);
  CHECK(in.unified.at("memory.high") == "1");
}

TEST_CASE("null and unknown members count as absent", "[specconv]") {
  const Spec spec = parse(R"({"ociVersion":"1.0.0","root":{"path":"r"},"process":null,"hooks":null,
    "linux":{"seccomp":null,"devices":null,"resources":{"pids":null,"memory":null}},"x":{"y":[1]},
    "windows":{"z":1}})");
  CHECK_FALSE(spec.process);
  CHECK_FALSE(spec.linux_part.seccomp);
}

TEST_CASE("numbers are neither cut off nor wrapped", "[specconv]") {
  for (const char* uid :
       {"4294967296", "-1", "1.5", "1.0", "1e3", "99999999999999999999", "\"1\"", "true", "[]"}) {
    INFO(uid);
    CHECK(error_of(with("process", R"({"cwd":"/","user":{"uid":)" + std::string(uid) + "}}")) !=
          "no error");
  }
  CHECK(error_of(with("process", R"({"cwd":"/","user":{"uid":4294967296}})")) ==
        "must be a whole number from 0 to 4294967295, not 4294967296 (/process/user/uid)");
  CHECK(error_of(with("linux", R"({"resources":{"memory":{"limit":9223372036854775808}}})")) !=
        "no error");
  CHECK(error_of(with("linux", R"({"resources":{"blockIO":{"weight":65546}}})")) != "no error");
}

TEST_CASE("all errors are told at once, each with its pointer", "[specconv]") {
  CHECK(error_of(R"({"root":{"path":1},"annotations":{"a/b~c":2}})") ==
        "3 errors: /ociVersion: is required; /root/path: must be a string; "
        "/annotations/a~1b~0c: must be a string");
  CHECK(error_of(R"({"ociVersion":"1.0.0"})") == "root must be specified (/root)");
}

TEST_CASE("bad values are refused with their pointer", "[specconv]") {
  const struct {
    const char* key;
    const char* json;
    const char* pointer;
  } cases[] = {
      {"process", R"({})", "/process/cwd"},
      {"process", R"([])", "/process"},
      {"process", R"({"cwd":"/","args":"sh"})", "/process/args"},
      {"process", R"({"cwd":"/","args":["a",null]})", "/process/args/1"},
      {"process", R"({"cwd":"/","args":["a\u0000b"]})", "/process/args/0"},
      {"process", R"({"cwd":"/","terminal":1})", "/process/terminal"},
      {"process", R"({"cwd":"/","rlimits":[{"type":"RLIMIT_X","soft":1,"hard":1}]})",
       "/process/rlimits/0/type"},
      {"process", R"({"cwd":"/","rlimits":[{"type":"RLIMIT_AS","soft":1}]})",
       "/process/rlimits/0/hard"},
      {"process",
       R"({"cwd":"/","rlimits":[{"type":"RLIMIT_AS","soft":1,"hard":1},{"type":"RLIMIT_AS","soft":1,"hard":1}]})",
       "/process/rlimits/1/type"},
      {"process", R"({"cwd":"/","scheduler":{"nice":1}})", "/process/scheduler/policy"},
      {"process", R"({"cwd":"/","scheduler":{"policy":"SCHED_RR","flags":["x"]}})",
       "/process/scheduler/flags/0"},
      {"process", R"({"cwd":"/","execCPUAffinity":{"initial":"a"}})",
       "/process/execCPUAffinity/initial"},
      {"process", R"({"cwd":"/","execCPUAffinity":{"final":","}})",
       "/process/execCPUAffinity/final"},
      {"mounts", R"([{}])", "/mounts/0/destination"},
      {"mounts", R"([1])", "/mounts/0"},
      {"mounts", R"({})", "/mounts"},
      {"mounts", R"([{"destination":"/","uidMappings":[{"containerID":0,"hostID":0}]}])",
       "/mounts/0/uidMappings/0/size"},
      {"hooks", R"({"poststop":[{"path":"/a"},{}]})", "/hooks/poststop/1/path"},
      {"linux", R"({"namespaces":[{"type":"x"}]})", "/linux/namespaces/0/type"},
      {"linux", R"({"namespaces":[{"type":"pid"},{"type":"pid"}]})", "/linux/namespaces/1/type"},
      {"linux", R"({"devices":[{"path":"/d","type":"x"}]})", "/linux/devices/0/type"},
      {"linux", R"({"rootfsPropagation":"x"})", "/linux/rootfsPropagation"},
      {"linux", R"({"netDevices":{"eth0":{"name":23}}})", "/linux/netDevices/eth0/name"},
      {"linux", R"({"personality":{"domain":"X"}})", "/linux/personality/domain"},
      {"linux", R"({"personality":{"flags":[]}})", "/linux/personality/domain"},
      {"linux", R"({"memoryPolicy":{"mode":"X"}})", "/linux/memoryPolicy/mode"},
      {"linux", R"({"memoryPolicy":{"nodes":"0"}})", "/linux/memoryPolicy/mode"},
      {"linux", R"({"memoryPolicy":{"mode":"MPOL_BIND","nodes":"0-"}})",
       "/linux/memoryPolicy/nodes"},
      {"linux", R"({"memoryPolicy":{"mode":"MPOL_BIND","flags":["X"]}})",
       "/linux/memoryPolicy/flags/0"},
      {"linux", R"({"sysctl":{"a":1}})", "/linux/sysctl/a"},
      {"linux", R"({"resources":{"devices":[{"type":"a"}]}})", "/linux/resources/devices/0/allow"},
      {"linux", R"({"resources":{"devices":[{"allow":true,"type":"p"}]}})",
       "/linux/resources/devices/0/type"},
      {"linux", R"({"resources":{"pids":{"x":1}}})", "/linux/resources/pids/limit"},
      {"linux", R"({"resources":{"rdma":{"m":{"hcaHandles":"x"}}}})",
       "/linux/resources/rdma/m/hcaHandles"},
      {"linux", R"({"seccomp":{}})", "/linux/seccomp/defaultAction"},
      {"linux", R"({"seccomp":{"defaultAction":"SCMP_ACT_X"}})", "/linux/seccomp/defaultAction"},
      {"linux", R"({"seccomp":{"defaultAction":"SCMP_ACT_LOG","architectures":["X"]}})",
       "/linux/seccomp/architectures/0"},
      {"linux", R"({"seccomp":{"defaultAction":"SCMP_ACT_LOG","flags":["X"]}})",
       "/linux/seccomp/flags/0"},
  };
  for (const auto& one : cases) {
    INFO(one.json);
    CHECK(error_of(with(one.key, one.json)).ends_with("(" + std::string(one.pointer) + ")"));
  }
}

TEST_CASE("input is bounded", "[specconv]") {
  CHECK(error_of(std::string(100, '[')) == "the JSON text is nested deeper than 64 levels");
  CHECK(error_of(std::string((size_t{16} << 20) + 1, ' ')) ==
        "the JSON text is longer than 16 MiB");
  std::string many = "[0";
  for (int i = 0; i < 70000; ++i) many += ",0";
  CHECK(error_of(with("process", R"({"cwd":"/","user":{"additionalGids":)" + many + "]}}")) ==
        "has too many entries (/process/user/additionalGids)");
  // Brackets within strings do not count.
  CHECK(error_of(with("hostname", "\"" + std::string(100, '[') + "\\\"[\"")) == "no error");
}

TEST_CASE("text that is no JSON object is refused", "[specconv]") {
  for (const char* text : {"", "{]", "{", "[]", "1", "null", "{\"a\":1}x", "{\"a\":\"\xff\"}"}) {
    INFO(text);
    CHECK(error_of(text) != "no error");
  }
  CHECK(error_of("{]").starts_with("invalid JSON: parse error at line 1, column 2"));
}
