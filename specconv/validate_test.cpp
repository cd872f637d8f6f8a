#include "specconv/validate.h"

#include <string>

#include "libruntime/configs/sysctl.h"
#include "libruntime/system/catch.h"
#include "libruntime/system/error.h"
#include "specconv/parse.h"

namespace {

using hull::configs::sysctl_path;
using hull::specconv::env_problem;

std::string error_of(const std::string& json) {
  try {
    hull::specconv::validate(hull::specconv::parse(json));
  } catch (const hull::Error& e) {
    return e.what();
  }
  return "ok";
}

// A configuration with all namespaces that are new by themselves, and these members more.
std::string config(const std::string& members, const std::string& linux_members = "") {
  return R"({"ociVersion":"1.2.0","root":{"path":"r"})" + (members.empty() ? "" : "," + members) +
         R"(,"linux":{"namespaces":[{"type":"mount"},{"type":"uts"},{"type":"ipc"},{"type":"network"},{"type":"pid"}])" +
         (linux_members.empty() ? "" : "," + linux_members) + "}}";
}

std::string process(const std::string& members) {
  return config(R"("process":{"cwd":"/","args":["a"],)" + members + "}");
}

std::string mount(const std::string& members) { return config("\"mounts\":[{" + members + "}]"); }

std::string in_linux(const std::string& members) { return config("", members); }

std::string resources(const std::string& members) {
  return in_linux("\"resources\":{" + members + "}");
}

std::string seccomp(const std::string& members) {
  return in_linux("\"seccomp\":{" + members + "}");
}

}  // namespace

TEST_CASE("every 1.x and 0.x version is accepted, no other", "[specconv]") {
  for (const char* good :
       {"1.0.0", "1.0.2-dev", "1.3.0", "1.99.1", "1.0.0-rc5", "1.2.0+b.1", "0.5.0-dev"}) {
    INFO(good);
    CHECK(error_of(R"({"ociVersion":")" + std::string(good) + R"(","root":{"path":"r"}})") == "ok");
  }
  for (const char* bad : {"", "1", "1.0", "2.0.0", "v1.0.0", "1.0.x", "1.0.0-", "1..0"}) {
    INFO(bad);
    CHECK(error_of(R"({"ociVersion":")" + std::string(bad) + R"(","root":{"path":"r"}})") != "ok");
  }
}

TEST_CASE("what real hosts write passes", "[specconv]") {
  const std::string good[] = {
      config(""),
      config(R"("hostname":"h","domainname":"d")"),
      process(R"("env":["A=","B=c=d"],"user":{"umask":18})"),
      process(
          R"("scheduler":{"policy":"SCHED_OTHER","nice":-20},"ioPriority":{"class":"IOPRIO_CLASS_RT","priority":7})"),
      process(R"("scheduler":{"policy":"SCHED_DEADLINE","runtime":1,"deadline":2,"period":3})"),
      process(R"("scheduler":{"policy":"SCHED_FIFO","flags":["SCHED_FLAG_KEEP_POLICY"]})"),
      mount(R"("destination":"/proc","type":"proc","source":"proc")"),
      mount(R"("destination":"/proc/","type":"bind","source":"/proc","options":["rbind"])"),
      mount(R"("destination":"/proc/uptime","type":"bind","source":"/x","options":["bind"])"),
      mount(
          R"("destination":"/p","type":"none","source":"/x","options":["rbind","ro","rprivate",""])"),
      mount(R"("destination":"/t","type":"tmpfs","source":"t","options":["tmpcopyup","size=1k"])"),
      mount(
          R"("destination":"/t","source":"/t","options":["bind","ridmap"],"uidMappings":[{"containerID":0,"hostID":1,"size":1}],"gidMappings":[{"containerID":0,"hostID":1,"size":1}])"),
      mount(R"("destination":"/t","source":"/t","options":["bind","idmap=uids=0-1-2;gids=0-1-2"])"),
      R"({"ociVersion":"1.0.0","root":{"path":"r"},"mounts":[{"destination":"/a","source":"/b","options":["bind","idmap"]}],
          "linux":{"namespaces":[{"type":"mount"},{"type":"user","path":"/n"}]}})",
      resources(R"("blockIO":{"weight":0},"cpu":{"shares":0},"memory":{"disableOOMKiller":false})"),
      resources(R"("memory":{"limit":10,"swap":-1})"),
      resources(R"("cpu":{"quota":-1,"burst":5})"),
      resources(R"("hugepageLimits":[{"pageSize":"64KB","limit":1},{"pageSize":"1GB","limit":1}])"),
      in_linux(
          R"("sysctl":{"net.ipv4.ip_forward":"1","kernel.shmmax":"1","fs.mqueue.msg_max":"2","net/ipv4/conf/eth0.1/x":"1"})"),
      in_linux(
          R"("devices":[{"path":"/dev/p","type":"p"},{"path":"/dev/c","type":"c","major":1,"minor":0}])"),
      in_linux(R"("timeOffsets":{},"netDevices":{},"memoryPolicy":{},"personality":{})"),
      in_linux(R"("memoryPolicy":{"mode":"MPOL_PREFERRED"},"personality":{"domain":"LINUX"})"),
      process(R"("execCPUAffinity":{"initial":"","final":"4095"})"),
      in_linux(R"("netDevices":{"eth0":{"name":"eth%d"},"eth1":{"name":"eth%d"},"eth2":null})"),
      in_linux(R"("intelRdt":{})"),
      in_linux(
          R"("intelRdt":{"closID":"/","l3CacheSchema":"L3:0=f\nL2:0=1","memBwSchema":"MB:0=1"})"),
      R"({"ociVersion":"1.0.0","root":{"path":"r"},"linux":{"namespaces":[{"type":"time"}],
          "timeOffsets":{"monotonic":{"secs":-5,"nanosecs":999999999}}}})",
      seccomp(R"("defaultAction":"SCMP_ACT_ERRNO","defaultErrnoRet":38)"),
      seccomp(
          R"("defaultAction":"SCMP_ACT_ALLOW","listenerPath":"/s","listenerMetadata":"m","syscalls":[{"names":["mkdir"],"action":"SCMP_ACT_NOTIFY"}])"),
      R"({"ociVersion":"1.0.0","root":{"path":"r"},"linux":{"namespaces":[{"type":"user"}],
          "uidMappings":[{"containerID":0,"hostID":1000,"size":1}],"gidMappings":[{"containerID":0,"hostID":1000,"size":1}]}})",
      R"({"ociVersion":"1.0.0","root":{"path":"r"},"linux":{"namespaces":[{"type":"user","path":"/n"}]}})",
  };
  for (const std::string& json : good) {
    INFO(json);
    CHECK(error_of(json) == "ok");
  }
}

TEST_CASE("what can't be meant or done is refused with its pointer", "[specconv]") {
  const std::string kMap = R"([{"containerID":0,"hostID":1,"size":1}])";
  const struct {
    std::string json;
    const char* pointer;
  } cases[] = {
      {R"({"ociVersion":"1.0.0","root":{"path":""}})", "/root/path"},
      {R"({"ociVersion":"1.0.0","root":{"path":"r"},"hostname":"h"})", "/hostname"},
      {R"({"ociVersion":"1.0.0","root":{"path":"r"},"domainname":"h"})", "/domainname"},
      {R"({"ociVersion":"1.0.0","root":{"path":"r"},"mounts":[{"destination":"/a"}]})", "/mounts"},
      {R"({"ociVersion":"1.0.0","root":{"path":"r","readonly":true}})", "/root/readonly"},
      {R"({"ociVersion":"1.0.0","root":{"path":"r"},"linux":{"maskedPaths":["/a"]}})",
       "/linux/maskedPaths"},
      {R"({"ociVersion":"1.0.0","root":{"path":"r"},"linux":{"rootfsPropagation":"shared"}})",
       "/linux/rootfsPropagation"},
      {config(R"("hostname":")" + std::string(65, 'h') + "\""), "/hostname"},
      {config(R"("annotations":{"":"x"})"), "/annotations"},
      {config(R"("hooks":{"prestart":[{"path":"a"}]})"), "/hooks/prestart/0/path"},
      {config(R"("hooks":{"poststop":[{"path":"/a","timeout":0}]})"), "/hooks/poststop/0/timeout"},
      {config(R"("hooks":{"poststop":[{"path":"/a","timeout":9223372037}]})"),
       "/hooks/poststop/0/timeout"},
      {config(R"("process":{"cwd":"/","args":[]})"), "/process/args"},
      {config(R"("process":{"cwd":"w","args":["a"]})"), "/process/cwd"},
      {process(R"("env":["A=b","AB"])"), "/process/env/1"},
      {process(R"("env":["=b"])"), "/process/env/0"},
      {process(R"("user":{"umask":512})"), "/process/user/umask"},
      {process(R"("oomScoreAdj":1001)"), "/process/oomScoreAdj"},
      {process(R"("terminal":true,"consoleSize":{"height":1,"width":65536})"),
       "/process/consoleSize"},
      {process(R"("rlimits":[{"type":"RLIMIT_AS","soft":2,"hard":1}])"), "/process/rlimits/0/soft"},
      {process(R"("scheduler":{"policy":"SCHED_OTHER","nice":20})"), "/process/scheduler/nice"},
      {process(R"("scheduler":{"policy":"SCHED_BATCH","nice":-21})"), "/process/scheduler/nice"},
      {process(R"("scheduler":{"policy":"SCHED_IDLE","priority":1})"),
       "/process/scheduler/priority"},
      {process(R"("scheduler":{"policy":"SCHED_FIFO"})"), "/process/scheduler/priority"},
      {process(R"("scheduler":{"policy":"SCHED_RR","priority":100})"),
       "/process/scheduler/priority"},
      {process(R"("scheduler":{"policy":"SCHED_RR","priority":-1,
          "flags":["SCHED_FLAG_KEEP_PARAMS"]})"),
       "/process/scheduler/priority"},
      {process(R"("scheduler":{"policy":"SCHED_OTHER","runtime":1})"),
       "/process/scheduler/runtime"},
      {process(R"("scheduler":{"policy":"SCHED_OTHER","deadline":1})"),
       "/process/scheduler/deadline"},
      {process(R"("scheduler":{"policy":"SCHED_FIFO","priority":1,"period":1})"),
       "/process/scheduler/period"},
      {process(R"("ioPriority":{"class":"IOPRIO_CLASS_BE","priority":8})"),
       "/process/ioPriority/priority"},
      {process(R"("ioPriority":{"class":"IOPRIO_CLASS_BE","priority":-1})"),
       "/process/ioPriority/priority"},
      {mount(R"("destination":"")"), "/mounts/0/destination"},
      {mount(R"("destination":"/a","options":["bind"])"), "/mounts/0/source"},
      {mount(R"("destination":"/a","source":"/b","options":["rbind","size=1"])"),
       "/mounts/0/options/1"},
      {mount(R"("destination":"/a","source":"/b","options":["bind","tmpcopyup"])"),
       "/mounts/0/options/1"},
      {mount(R"("destination":"/a","source":"/b","options":["bind","idmap"])"),
       "/mounts/0/options/1"},
      {mount(R"("destination":"/a","type":"tmpfs","options":["ridmap"])"), "/mounts/0/options/0"},
      {mount(R"("destination":"/a","type":"tmpfs","options":["dest-nofollow"])"),
       "/mounts/0/options/0"},
      {mount(R"("destination":"/a","source":"/b","options":["bind","idmap=uids=0-1-2"])"),
       "/mounts/0/options/1"},
      {mount(R"("destination":"/a","type":"tmpfs","uidMappings":)" + kMap + R"(,"gidMappings":)" +
             kMap),
       "/mounts/0/uidMappings"},
      {mount(R"("destination":"/a","source":"/b","options":["bind"],"uidMappings":)" + kMap),
       "/mounts/0"},
      {mount(
           R"("destination":"/a","source":"/b","options":["bind"],"gidMappings":[{"containerID":0,"hostID":1,"size":0}],"uidMappings":)" +
           kMap),
       "/mounts/0/gidMappings/0/size"},
      {mount(
           R"("destination":"/a","source":"/b","options":["bind","idmap=uids=0-1-2;gids=0-1-2"],"gidMappings":)" +
           kMap + R"(,"uidMappings":)" + kMap),
       "/mounts/0/options/1"},
      {mount(R"("destination":"/a","type":"overlay","options":["lowerdir=)" +
             std::string(4096, 'x') + R"("])"),
       "/mounts/0/options"},
      {mount(R"("destination":"/proc","type":"tmpfs")"), "/mounts/0/destination"},
      {mount(R"("destination":"/proc","type":"bind","source":"/vol","options":["bind"])"),
       "/mounts/0/destination"},
      {mount(R"("destination":"/x/../proc/./self/attr","type":"tmpfs")"), "/mounts/0/destination"},
      {mount(R"("destination":"proc//sys","type":"tmpfs")"), "/mounts/0/destination"},
      {in_linux(R"("uidMappings":[{"containerID":0,"hostID":0,"size":1}])"), "/linux/uidMappings"},
      {in_linux(R"("devices":[{"path":"dev","type":"p"}])"), "/linux/devices/0/path"},
      {in_linux(R"("devices":[{"path":"/d","type":"c","minor":1}])"), "/linux/devices/0/major"},
      {in_linux(R"("devices":[{"path":"/d","type":"c","major":1,"minor":1048576}])"),
       "/linux/devices/0/minor"},
      {in_linux(R"("devices":[{"path":"/d","type":"b","major":-1,"minor":1}])"),
       "/linux/devices/0/major"},
      {in_linux(R"("maskedPaths":["a"])"), "/linux/maskedPaths/0"},
      {in_linux(R"("readonlyPaths":["a"])"), "/linux/readonlyPaths/0"},
      {in_linux(R"("sysctl":{"kernel.panic":"1"})"), "/linux/sysctl/kernel.panic"},
      {in_linux(R"("sysctl":{"kernel.hostname":"1"})"), "/linux/sysctl/kernel.hostname"},
      {in_linux(R"("sysctl":{"user.max_user_namespaces":"1"})"),
       "/linux/sysctl/user.max_user_namespaces"},
      {in_linux(R"("sysctl":{"net/../kernel/core_pattern":"1"})"),
       "/linux/sysctl/net~1..~1kernel~1core_pattern"},
      {in_linux(R"("timeOffsets":{"boottime":{"secs":1}})"), "/linux/timeOffsets"},
      {R"({"ociVersion":"1.0.0","root":{"path":"r"},"linux":{
          "namespaces":[{"type":"time","path":"/n"}],"timeOffsets":{"boottime":{"secs":1}}}})",
       "/linux/timeOffsets"},
      {R"({"ociVersion":"1.0.0","root":{"path":"r"},"linux":{"namespaces":[{"type":"time"}],
          "timeOffsets":{"monotonic":{"nanosecs":1000000000}}}})",
       "/linux/timeOffsets/monotonic/nanosecs"},
      {R"({"ociVersion":"1.0.0","root":{"path":"r"},"linux":{"netDevices":{"eth0":{}}}})",
       "/linux/netDevices"},
      {in_linux(R"("netDevices":{"a b":{}})"), "/linux/netDevices/a b"},
      {in_linux(R"("netDevices":{"eth%d":{}})"), "/linux/netDevices/eth%d"},
      {in_linux(R"("netDevices":{"e":{"name":"x%s"}})"), "/linux/netDevices/e/name"},
      {in_linux(R"("netDevices":{"e":{"name":"x%d%d"}})"), "/linux/netDevices/e/name"},
      {in_linux(R"("netDevices":{"e":{"name":"0123456789abcdef"}})"), "/linux/netDevices/e/name"},
      {in_linux(R"("netDevices":{"e":{"name":".."}})"), "/linux/netDevices/e/name"},
      {in_linux(R"("netDevices":{"e":{"name":"x"},"f":{"name":"x"}})"), "/linux/netDevices/f"},
      {in_linux(R"("netDevices":{"e":{"name":"f"},"f":{}})"), "/linux/netDevices/f"},
      {in_linux(R"("intelRdt":{"closID":"a/b"})"), "/linux/intelRdt/closID"},
      {in_linux(R"("intelRdt":{"closID":".."})"), "/linux/intelRdt/closID"},
      {in_linux(R"("intelRdt":{"memBwSchema":"L3:0=f"})"), "/linux/intelRdt/memBwSchema"},
      {in_linux(R"("intelRdt":{"memBwSchema":"MB:0=1\nMB:1=1"})"), "/linux/intelRdt/memBwSchema"},
      {in_linux(R"("intelRdt":{"schemata":["L3:0=f","a\nb"]})"), "/linux/intelRdt/schemata/1"},
      {in_linux(R"("memoryPolicy":{"mode":"MPOL_BIND"})"), "/linux/memoryPolicy/nodes"},
      {in_linux(R"("memoryPolicy":{"mode":"MPOL_WEIGHTED_INTERLEAVE"})"),
       "/linux/memoryPolicy/nodes"},
      {in_linux(R"("memoryPolicy":{"mode":"MPOL_LOCAL","nodes":"0"})"),
       "/linux/memoryPolicy/nodes"},
      {in_linux(R"("memoryPolicy":{"mode":"MPOL_BIND","nodes":"0",
          "flags":["MPOL_F_STATIC_NODES","MPOL_F_RELATIVE_NODES"]})"),
       "/linux/memoryPolicy/flags"},
      {R"({"ociVersion":"1.0.0","root":{"path":"r"},"linux":{"namespaces":[{"type":"network"}],"sysctl":{"kernel.sem":"1"}}})",
       "/linux/sysctl/kernel.sem"},
      {R"({"ociVersion":"1.0.0","root":{"path":"r"},"linux":{"namespaces":[{"type":"pid","path":"x"}]}})",
       "/linux/namespaces/0/path"},
      {R"({"ociVersion":"1.0.0","root":{"path":"r"},"linux":{"namespaces":[{"type":"user"}],"uidMappings":[{"containerID":0,"hostID":0,"size":1}]}})",
       "/linux/gidMappings"},
      {R"({"ociVersion":"1.0.0","root":{"path":"r"},"linux":{"namespaces":[{"type":"user","path":"/n"}],"uidMappings":[{"containerID":1,"hostID":0,"size":4294967295}]}})",
       "/linux/uidMappings/0/size"},
      {resources(R"("devices":[{"allow":true}])"), "/linux/resources/devices/0/access"},
      {resources(R"("devices":[{"allow":true,"access":"rx"}])"),
       "/linux/resources/devices/0/access"},
      {resources(R"("devices":[{"allow":true,"access":"r","major":-2}])"),
       "/linux/resources/devices/0/major"},
      {resources(R"("memory":{"limit":-2})"), "/linux/resources/memory/limit"},
      {resources(R"("memory":{"limit":10,"swap":9})"), "/linux/resources/memory/swap"},
      {resources(R"("memory":{"swappiness":101})"), "/linux/resources/memory/swappiness"},
      {resources(R"("cpu":{"quota":5,"burst":6})"), "/linux/resources/cpu/burst"},
      {resources(R"("cpu":{"idle":2})"), "/linux/resources/cpu/idle"},
      {resources(R"("blockIO":{"weight":9})"), "/linux/resources/blockIO/weight"},
      {resources(R"("blockIO":{"leafWeight":1001})"), "/linux/resources/blockIO/leafWeight"},
      {resources(R"("blockIO":{"weightDevice":[{"major":1,"minor":1}]})"),
       "/linux/resources/blockIO/weightDevice/0"},
      {resources(R"("blockIO":{"throttleReadBpsDevice":[{"major":-1,"minor":1,"rate":1}]})"),
       "/linux/resources/blockIO/throttleReadBpsDevice/0/major"},
      {resources(R"("hugepageLimits":[{"pageSize":"64kB","limit":1}])"),
       "/linux/resources/hugepageLimits/0/pageSize"},
      {resources(R"("hugepageLimits":[{"pageSize":"02MB","limit":1}])"),
       "/linux/resources/hugepageLimits/0/pageSize"},
      {resources(R"("rdma":{"m":{}})"), "/linux/resources/rdma/m"},
      {resources(R"("unified":{"a/b":""})"), "/linux/resources/unified/a~1b"},
      {seccomp(R"("defaultAction":"SCMP_ACT_ALLOW","defaultErrnoRet":1)"),
       "/linux/seccomp/defaultErrnoRet"},
      {seccomp(
           R"("defaultAction":"SCMP_ACT_ALLOW","syscalls":[{"names":["a"],"action":"SCMP_ACT_KILL","errnoRet":1}])"),
       "/linux/seccomp/syscalls/0/errnoRet"},
      {seccomp(
           R"("defaultAction":"SCMP_ACT_ALLOW","syscalls":[{"names":["a"],"action":"SCMP_ACT_ERRNO","errnoRet":4096}])"),
       "/linux/seccomp/syscalls/0/errnoRet"},
      {seccomp(R"("defaultAction":"SCMP_ACT_NOTIFY","listenerPath":"/s")"),
       "/linux/seccomp/defaultAction"},
      {seccomp(
           R"("defaultAction":"SCMP_ACT_ALLOW","listenerPath":"/s","syscalls":[{"names":["a","write"],"action":"SCMP_ACT_NOTIFY"}])"),
       "/linux/seccomp/syscalls/0/action"},
      {seccomp(
           R"("defaultAction":"SCMP_ACT_ALLOW","syscalls":[{"names":["a"],"action":"SCMP_ACT_NOTIFY"}])"),
       "/linux/seccomp/listenerPath"},
      {seccomp(R"("defaultAction":"SCMP_ACT_ALLOW","listenerMetadata":"m")"),
       "/linux/seccomp/listenerMetadata"},
      {seccomp(
           R"("defaultAction":"SCMP_ACT_ALLOW","syscalls":[{"names":[],"action":"SCMP_ACT_LOG"}])"),
       "/linux/seccomp/syscalls/0/names"},
      {seccomp(
           R"("defaultAction":"SCMP_ACT_ALLOW","syscalls":[{"names":["a"],"action":"SCMP_ACT_LOG","args":[{"index":6,"value":0,"op":"SCMP_CMP_EQ"}]}])"),
       "/linux/seccomp/syscalls/0/args/0/index"},
  };
  for (const auto& one : cases) {
    INFO(one.json);
    const std::string error = error_of(one.json);
    INFO(error);
    CHECK(error.ends_with("(" + std::string(one.pointer) + ")"));
  }
}

TEST_CASE("environment variables are judged in runc's words", "[specconv]") {
  using namespace std::literals;
  CHECK_FALSE(env_problem("A="));
  CHECK(env_problem("A") == "invalid environment variable: missing '='");
  CHECK(env_problem("=A") == "invalid environment variable: name cannot be empty");
  CHECK(env_problem("A=b\0c"sv) == "invalid environment variable \"A\": contains nul byte (\\x00)");
}

TEST_CASE("kernel parameters are read in both spellings", "[specconv]") {
  CHECK(sysctl_path("net.ipv4.ip_forward") == "net/ipv4/ip_forward");
  CHECK(sysctl_path("net/ipv4/conf/eth0.100/forwarding") == "net/ipv4/conf/eth0.100/forwarding");
  CHECK(sysctl_path("net.ipv4.conf.eth0/100.forwarding") == "net/ipv4/conf/eth0.100/forwarding");
  for (const char* bad : {"", ".", "net.", ".net", "net..x", "net/../x", "net/./x", "/net/x"})
    CHECK_FALSE(sysctl_path(bad));
}
