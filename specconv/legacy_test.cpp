#include "specconv/legacy.h"

#include <nlohmann/json.hpp>

#include "libruntime/configs/names.h"
#include "libruntime/security/capabilities.h"
#include "libruntime/system/catch.h"
#include "libruntime/system/error.h"
#include "libruntime/system/files.h"
#include "libruntime/system/log.h"
#include "specconv/convert.h"
#include "specconv/parse.h"
#include "specconv/validate.h"

namespace hull::specconv {
namespace {

using Json = nlohmann::json;

const std::string kSample = HULL_SOURCE_DIR "/specconv/testdata/container-2014-04.json";

Json converted(const std::string& text) {
  const std::string config = legacy::to_config_json(legacy::parse(text), {"rootfs", {"sh"}, {}});
  // What comes out is a configuration that is accepted.
  validate(parse(config));
  return Json::parse(config);
}

std::string error_of(const std::string& text) {
  try {
    legacy::parse(text);
  } catch (const Error& e) {
    return e.what();
  }
  return "";
}

std::string namespaces_of(const std::string& value) {
  std::string out;
  for (const configs::Namespace& ns : legacy::parse("{\"namespaces\":" + value + "}").namespaces)
    out +=
        std::string(configs::name_of(ns.type).spec) + (ns.path.empty() ? "" : "=" + ns.path) + " ";
  return out;
}

// The capabilities that a file takes away, without "CAP_".
std::string dropped_by(const std::string& text) {
  const auto kept = legacy::parse(text).capabilities;
  std::string out;
  for (unsigned i = 0; i <= security::last_capability(); ++i) {
    const std::string name(security::capability_names()[i]);
    if (std::find(kept.begin(), kept.end(), name) == kept.end()) out += name.substr(4) + " ";
  }
  return out;
}

std::string warnings;

// What is warned of while the text is read.
std::string warnings_of(const std::string& text) {
  warnings.clear();
  log::set_sink([](log::Level, std::string_view line) { warnings += std::string(line) + "\n"; });
  legacy::parse(text);
  log::set_sink(nullptr);
  return warnings;
}

}  // namespace

TEST_CASE("The four spellings of namespaces give the same", "[S30]") {
  const std::string same = "mount uts ipc pid network ";
  CHECK(namespaces_of(R"(["NEWNS","NEWUTS","NEWIPC","NEWPID","NEWNET"])") == same);
  CHECK(namespaces_of(R"([{"key":"NEWNS","enabled":true,"value":131072,"file":"mnt"},
      {"key":"NEWUTS","enabled":true},{"key":"NEWUSER","enabled":false},{"key":"NEWIPC","enabled":true},
      {"key":"NEWPID","enabled":true},{"key":"NEWNET","enabled":true},{"key":"NEWUSER"}])") ==
        same);
  CHECK(namespaces_of(R"({"NEWNS":true,"NEWUTS":true,"NEWIPC":true,"NEWUSER":false,"NEWPID":true,
      "NEWNET":true})") == same);
  CHECK(namespaces_of(R"([{"type":"NEWNS","path":""},{"type":"NEWUTS"},{"type":"NEWIPC"},
      {"type":"NEWPID"},{"type":"NEWNET"}])") == same);
}

TEST_CASE("All namespaces of the time are known, others and doubles are errors", "[S31]") {
  CHECK(namespaces_of(R"(["NEWUSER"])") == "user ");
  CHECK(namespaces_of(R"([{"type":"NEWNET","path":"/run/ns"}])") == "network=/run/ns ");
  CHECK(error_of(R"({"namespaces":["NEWNS","NEWXX"]})") ==
        "unknown namespace \"NEWXX\" (/namespaces/1)");
  CHECK(error_of(R"({"namespaces":{"NEWXX":true}})") ==
        "unknown namespace \"NEWXX\" (/namespaces/NEWXX)");
  CHECK(error_of(R"({"namespaces":["NEWNS","NEWNS"]})") ==
        "duplicated namespace \"NEWNS\" (/namespaces/1)");
  CHECK(error_of(R"({"namespaces":[{"enabled":true}]})") == "is required (/namespaces/0/key)");
  CHECK(error_of(R"({"namespaces":7})") == "must be a list (/namespaces)");
}

TEST_CASE("The four spellings of capabilities drop the same", "[S32]") {
  const std::string same = "SETPCAP MKNOD ";
  CHECK(dropped_by(R"({"capabilities":["SETPCAP","MKNOD"],"namespaces":["NEWNS"]})") == same);
  CHECK(dropped_by(R"({"capabilities_mask":[{"key":"SETPCAP","value":8,"enabled":false},
      {"key":"MKNOD"},{"key":"SYS_ADMIN","enabled":true}]})") == same);
  CHECK(dropped_by(R"({"capabilities_mask":{"SETPCAP":false,"MKNOD":false,"SYS_ADMIN":true}})") ==
        same);
  std::string kept;
  for (unsigned i = 0; i <= security::last_capability(); ++i)
    if (const auto name = security::capability_names()[i].substr(4);
        name != "SETPCAP" && name != "MKNOD")
      kept += (kept.empty() ? "\"" : ",\"") + std::string(name) + "\"";
  // A list is what is kept only where namespaces are of May or later.
  for (const char* namespaces : {R"({"NEWNS":true})", R"([{"type":"NEWNS"}])"})
    CHECK(dropped_by(R"({"capabilities":[)" + kept + R"(],"namespaces":)" + namespaces + "}") ==
          same);
  CHECK(dropped_by("{}") == "");
  CHECK(dropped_by(R"({"capabilities":["CAP_MKNOD"]})") == "MKNOD ");
  CHECK(error_of(R"({"capabilities":["MKNODD"]})") ==
        "unknown capability \"MKNODD\" (/capabilities/0)");
  CHECK(error_of(R"({"capabilities_mask":{"MKNODD":true}})") ==
        "unknown capability \"MKNODD\" (/capabilities_mask/MKNODD)");
}

TEST_CASE("The sample of April 2014 is read as it stands", "[S33]") {
  const std::string text = read_file(kSample);
  CHECK(dropped_by(text) ==
        "SETPCAP NET_ADMIN SYS_MODULE SYS_RAWIO SYS_PACCT SYS_ADMIN SYS_NICE SYS_RESOURCE SYS_TIME "
        "SYS_TTY_CONFIG AUDIT_WRITE AUDIT_CONTROL MAC_OVERRIDE MAC_ADMIN ");
  CHECK(warnings_of(text) == "");
  const legacy::Container sample = legacy::parse(text);
  CHECK(sample.hostname == "koye");
  CHECK(sample.tty);
  CHECK(sample.cgroup.parent == "docker");
  REQUIRE(sample.networks.size() == 2);
  CHECK(sample.networks[0].type == "loopback");
  CHECK(sample.networks[0].mtu == 1500);
  CHECK(sample.networks[1].bridge == "docker0");
  CHECK(sample.networks[1].host_interface_name == "vethXXXX");
  const Json config = converted(text);
  CHECK(config["linux"]["cgroupsPath"] == "/docker/docker-koye");
  CHECK(config["process"]["env"][1] == "PATH=PATH=$PATH:/bin:/usr/bin:/sbin:/usr/sbin");
  CHECK(config["mounts"].size() == 5);
  CHECK(Json::parse(config["annotations"]["run.hull.networks"].get<std::string>())[1] ==
        Json::parse(R"({"type":"veth","bridge":"docker0","address":"172.17.42.2/16",
                        "gateway":"172.17.42.1","mtu":1500,"host_interface_name":"vethXXXX"})"));
}

TEST_CASE("Keys of container.json have their place in config.json", "[S20][S21][S22][S23][S25]") {
  const std::string ns = R"("namespaces":["NEWNS","NEWUTS","NEWNET","NEWUSER"],)";
  struct Row {
    const char* key;
    const char* pointer;
    const char* value;
  };
  const Row rows[] = {
      {R"("hostname":"h")", "/hostname", R"("h")"},
      {R"("tty":true)", "/process/terminal", "true"},
      {R"("environment":["A=b"])", "/process/env", R"(["A=b"])"},
      {R"("working_dir":"/w")", "/process/cwd", R"("/w")"},
      {R"("x":1)", "/process/cwd", R"("/")"},
      {R"("readonly_fs":true)", "/root/readonly", "true"},
      {R"("mount_config":{"readonly_fs":true})", "/root/readonly", "true"},
      {R"("x":1)", "/linux/uidMappings", R"([{"containerID":0,"hostID":0,"size":4294967295}])"},
      {R"("gid_mappings":[{"container_id":0,"host_id":5,"size":6}])", "/linux/gidMappings",
       R"([{"containerID":0,"hostID":5,"size":6}])"},
      {R"("mounts":[{"source":"/a","destination":"/b"}])", "/mounts/5",
       R"({"destination":"/b","type":"bind","source":"/a","options":["rbind","ro"]})"},
      {R"("mounts":[{"type":"bind","source":"/a","destination":"b","writable":true,"private":true}])",
       "/mounts/5",
       R"({"destination":"/b","type":"bind","source":"/a","options":["rbind","rw","private"]})"},
      {R"("mounts":[{"type":"tmpfs","destination":"/t"}])", "/mounts/5/type", R"("tmpfs")"},
      {R"("device_nodes":[{"type":99,"path":"/dev/x","major_number":1,"minor_number":3,"file_mode":438}])",
       "/linux/devices",
       R"([{"path":"/dev/x","type":"c","major":1,"minor":3,"fileMode":438,"uid":0,"gid":0}])"},
      {R"("routes":[{"destination":"10.0.0.0/8","gateway":"1.2.3.4","interface_name":"eth0"}])",
       "/annotations/run.hull.routes",
       R"("[{\"destination\":\"10.0.0.0/8\",\"gateway\":\"1.2.3.4\",\"interface_name\":\"eth0\"}]")"},
      {R"("network":{"ip":"10.1.1.1/8","bridge":"b","mtu":9})", "/annotations/run.hull.networks",
       R"("[{\"type\":\"veth\",\"bridge\":\"b\",\"address\":\"10.1.1.1/8\",\"mtu\":9}]")"},
      {R"("networks":[{"type":"netns","context":{"nspath":"/run/netns/x"}}])",
       "/linux/namespaces/2/path", R"("/run/netns/x")"},
      {R"("cgroups":{"name":"n","parent":"p"})", "/linux/cgroupsPath", R"("/p/n")"},
      {R"("cgroups":{"memory":4,"memory_reservation":3,"memory_swap":-1})",
       "/linux/resources/memory", R"({"limit":4,"reservation":3,"swap":-1})"},
      {R"("cgroups":{"cpu_shares":4,"cpu_quota":3000,"cpu_period":2000,"cpuset_cpus":"0"})",
       "/linux/resources/cpu", R"({"shares":4,"quota":3000,"period":2000,"cpus":"0"})"},
      {R"("x":1)", "/linux/resources/devices", R"([{"allow":false,"access":"rwm"}])"},
      {R"("cgroups":{"allow_all_devices":true})", "/linux/resources/devices/0/allow", "true"},
      {R"("cgroups":{"device_access":true})", "/linux/resources/devices/0/allow", "true"},
      {R"("cgroups":{"allowed_devices":[{"type":"c","major_number":10,"minor_number":-1,"cgroup_permissions":"rw"}]})",
       "/linux/resources/devices/1", R"({"allow":true,"type":"c","major":10,"access":"rw"})"},
      {R"("context":{"apparmor_profile":"p"})", "/process/apparmorProfile", R"("p")"},
      {R"("context":{"process_label":"p"})", "/process/selinuxLabel", R"("p")"},
      {R"("context":{"mount_label":"m"})", "/linux/mountLabel", R"("m")"},
      {R"("context":{"restrictions":"true"})", "/linux/maskedPaths", R"(["/proc/kcore"])"},
      {R"("restrict_sys":true)", "/mounts/4/options/3", R"("ro")"},
  };
  for (const Row& row : rows) {
    INFO(row.key);
    std::string pointer = row.pointer;
    const Json config = converted("{" + ns + row.key + "}");
    const Json::json_pointer at(pointer);
    REQUIRE(config.contains(at));
    CHECK(config[at] == Json::parse(row.value));
  }
}

TEST_CASE("The mounts that every container of 2014 had", "[S28]") {
  const Json mounts =
      converted(R"({"namespaces":["NEWNS"],"mounts":[{"type":"devtmpfs"}]})")["mounts"];
  REQUIRE(mounts.size() == 5);
  const char* const destinations[] = {"/proc", "/dev", "/dev/shm", "/dev/pts", "/sys"};
  for (size_t i = 0; i < 5; ++i) CHECK(mounts[i]["destination"] == destinations[i]);
  CHECK(mounts[3]["options"] ==
        Json::parse(R"(["nosuid","noexec","newinstance","ptmxmode=0666","mode=0620","gid=5"])"));
}

TEST_CASE("With systemd the cgroup is a slice, a prefix and a name", "[S39]") {
  const auto container =
      legacy::parse(R"({"cgroups":{"name":"n","parent":"p","slice":"s.slice"}})");
  const Json config = Json::parse(legacy::to_config_json(container, {"r", {"sh"}, {}, true}));
  CHECK(config["linux"]["cgroupsPath"] == "s.slice:p:n");
}

TEST_CASE("Who a container runs as is told by number", "[S24]") {
  const Json user = Json::parse(legacy::to_config_json(
      legacy::parse("{}"), {"r", {"sh"}, {.uid = 7, .gid = 8, .groups = {9}}}))["process"]["user"];
  CHECK(user == Json::parse(R"({"uid":7,"gid":8,"additionalGids":[9]})"));
}

TEST_CASE("Unknown keys are ignored with a warning that names them", "[S43]") {
  CHECK(warnings_of(R"({"hostname":"h","colour":"red","cgroups":{"blue":1},
                        "networks":[{"type":"loopback","x":1,"context":{"y":"z"}}]})") ==
        "container.json: ignoring the unknown key /colour\n"
        "container.json: ignoring the unknown key /networks/0/x\n"
        "container.json: ignoring the unknown key /networks/0/context/y\n"
        "container.json: ignoring the unknown key /cgroups/blue\n");
}

TEST_CASE("What can't be done is an error that names the key", "[S27][S29][S35][S40]") {
  const char* const rows[][2] = {
      {R"({"mounts":[{"type":"nfs","destination":"/x"}]})",
       "unsupported mount type \"nfs\" (/mounts/0/type)"},
      {R"({"mounts":[{"destination":"/x"}]})", "is required (/mounts/0/source)"},
      {R"({"device_nodes":[{"type":"z","path":"/x"}]})",
       "must be one of the letters cbup (/device_nodes/0/type)"},
      {R"({"required_device_nodes":["null","fuse"]})",
       "the device \"fuse\" must be told by number, in device_nodes (/required_device_nodes)"},
      {R"({"networks":[{"type":"macvlan"}]})",
       "unsupported network type \"macvlan\" (/networks/0/type)"},
      {R"({"networks":[{"type":"netns"}]})",
       "needs the path of a network namespace, nspath (/networks/0/context)"},
      {R"({"cgroups":{"freezer":"FROZEN"}})",
       "a container can't start frozen: pause it once it runs (/cgroups/freezer)"},
      {R"({"cgroups":{"memory":"1G"}})", "must be a number (/cgroups/memory)"},
      {R"({"hostname":1})", "must be a string (/hostname)"},
      {"[]", "must be an object"},
  };
  for (const auto& row : rows) {
    INFO(row[0]);
    CHECK(error_of(row[0]) == row[1]);
  }
}

}  // namespace hull::specconv
