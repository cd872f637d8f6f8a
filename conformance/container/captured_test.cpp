// Configurations as dockerd, containerd and podman wrote them: each must run, with its paths led to
// places of the test's own.
#include <dirent.h>
#include <sys/resource.h>

#include <algorithm>
#include <set>

#include "conformance/container/bundle.h"
#include "conformance/container/host.h"
#include "conformance/container/hull.h"
#include "libruntime/system/catch.h"
#include "libruntime/system/files.h"

namespace hull::conformance {
namespace {

const std::string kFolder = HULL_SHARED_DATA "/inputs";

std::vector<std::string> captured_configs() {
  std::vector<std::string> out;
  DIR* dir = opendir(kFolder.c_str());
  if (dir == nullptr) return out;
  while (const dirent* entry = readdir(dir))
    if (std::string_view(entry->d_name).ends_with(".json")) out.emplace_back(entry->d_name);
  closedir(dir);
  std::sort(out.begin(), out.end());
  return out;
}

// Files and directories that stand for the host's.
void lead_mounts_here(Bundle& bundle, Json& config) {
  static const std::set<std::string> kFiles = {"/etc/hostname", "/etc/hosts", "/etc/resolv.conf",
                                               "/run/.containerenv"};
  int count = 0;
  for (Json& mount : config.at("mounts")) {
    const std::string source = mount.value("source", "");
    const std::string place = bundle.dir() + "/source" + std::to_string(++count);
    if (mount.at("type") == "overlay") {
      for (const char* part : {"/lower", "/upper", "/work"}) make_directories(place + part, 0755);
      mount["options"] = {"lowerdir=" + place + "/lower", "upperdir=" + place + "/upper",
                          "workdir=" + place + "/work", "private"};
    } else if (mount.at("type") == "bind" && !source.starts_with("/sys/fs/cgroup")) {
      if (kFiles.contains(mount.at("destination")))
        write_file(place, "");
      else
        make_directories(place, 0755);
      mount["source"] = place;
    } else if (mount.at("type") == "bind" && !exists(source)) {
      mount["source"] = "/sys/fs/cgroup";
    }
  }
}

// Nothing of the machine that captured them: its cgroups, helpers, disks and limits.
void lead_the_rest_here(const Bundle& bundle, const Hull& neighbour, Json& config) {
  Json& part = config.at("linux");
  part["cgroupsPath"] = "/" + bundle.mark();
  for (Json& ns : part.at("namespaces"))
    if (ns.contains("path") && ns.at("path") != "")
      ns["path"] = "/proc/" + std::to_string(neighbour.pid()) + "/ns/" +
                   (ns.at("type") == "network" ? "net" : ns.at("type").get<std::string>());
  if (config.contains("hooks"))
    for (Json& list : config["hooks"])
      for (Json& hook : list) hook = {{"path", "/bin/true"}};
  for (Json& limit : config.at("process")["rlimits"]) {
    rlimit now{};
    if (limit.at("type") != "RLIMIT_NPROC" || getrlimit(RLIMIT_NPROC, &now) != 0) continue;
    for (const char* key : {"soft", "hard"})
      limit[key] = std::min<uint64_t>(limit.at(key).get<uint64_t>(), now.rlim_max);
  }
  Json& resources = part["resources"];
  if (resources.contains("blockIO") && !exists("/sys/dev/block/254:0"))
    resources["blockIO"] = Json::object();
  if (in_cgroup_v2("memory") && resources.contains("memory"))
    resources["memory"].erase("swappiness");
}

}  // namespace

TEST_CASE("every captured configuration of real engines runs", "[B10]") {
  const std::vector<std::string> names = captured_configs();
  if (names.empty()) HULL_SKIP("the captured configurations are not here");
  Bundle other;
  other.args({"/bin/sleep", "1000"});
  Hull neighbour(other);
  neighbour.launch();
  for (const std::string& name : names) {
    INFO(name);
    Bundle bundle;
    Json config = Json::parse(read_file(kFolder + "/" + name));
    lead_mounts_here(bundle, config);
    lead_the_rest_here(bundle, neighbour, config);
    if (config.at("linux").contains("uidMappings"))
      bundle.user_namespace(config["linux"]["uidMappings"][0].at("hostID").get<unsigned>());
    config["root"]["path"] = bundle.rootfs();
    config["process"]["terminal"] = false;
    config["process"]["args"] = {"/bin/sh", "-c", "echo ran"};
    config["process"]["env"].push_back("MARK=" + bundle.mark());
    bundle.config = config;
    const Outcome done = Hull(bundle).run();
    INFO(done.err);
    CHECK(done.exit_code == 0);
    CHECK(done.out == "ran\n");
  }
}

}  // namespace hull::conformance
