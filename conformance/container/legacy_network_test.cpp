// Networks and routes of container.json, and of config.json's annotations. "The host" is a network
// namespace of the test's own, with a bridge in it.
#include <unistd.h>

#include "conformance/container/bundle.h"
#include "conformance/container/host.h"
#include "conformance/container/hull.h"
#include "conformance/container/legacy_scene.h"
#include "libruntime/system/catch.h"
#include "libruntime/system/files.h"

namespace hull::conformance {
namespace {

const char* const kBridge = R"(
ip link add br0 type bridge
ip addr add 10.77.0.1/24 dev br0
ip -6 addr add fd77::1/64 dev br0 nodad
ip link set br0 up
# Takes a pid file; gives the pid.
wait_for() { while ! [ -s $1 ]; do sleep 0.02; done; cat $1; }
)";

Outcome on_a_host(const std::string& script) {
  return run_command(
      {"unshare", "--net", "/bin/sh", "-c", "set -e\n" + std::string(kBridge) + script});
}

// A shell function that is nsinit in the scene's directory.
std::string function_of(const std::string& name, const LegacyScene& scene) {
  std::string out = name + "() { cd " + scene.dir() + "; ";
  for (const std::string& word : scene.argv({})) out += word + " ";
  return out + "\"$@\"; }\n";
}

Json veth(const std::string& address) {
  return {{"type", "veth"},
          {"address", address},
          {"gateway", "10.77.0.1"},
          {"mtu", 1400},
          {"context", {{"bridge", "br0"}, {"prefix", "vt"}}}};
}

std::string without_spaces_twice(const std::string& text) {
  std::string out;
  for (const char c : text)
    if (c != ' ' || !out.ends_with(' ')) out += c;
  return out;
}

// `hull run` of a bundle on such a host, after `before`; then `after`.
Outcome run_on_a_host(Bundle& bundle, Hull& hull, const std::string& before = "",
                      const std::string& after = "") {
  bundle.save();
  std::string run;
  for (const std::string& word : hull.argv({"run", "--bundle", bundle.dir(), hull.id()}))
    run += word + " ";
  return on_a_host(before + "\nstatus=0\n" + run + "|| status=$?\n" + after + "\nexit $status");
}

void set_networks(Bundle& bundle, const Json& networks) {
  bundle.config["annotations"]["run.hull.networks"] = networks.dump();
}

}  // namespace

TEST_CASE("two containers on a bridge reach each other and the host, and leave nothing",
          "[S12][S35][S45]") {
  LegacyScene first;
  LegacyScene second;
  first.config["networks"] = {{{"type", "loopback"}, {"address", "127.0.0.1/0"}},
                              veth("10.77.0.2/24")};
  second.config["networks"] = {veth("10.77.0.3/24")};
  const Outcome done = on_a_host(function_of("one", first) + function_of("two", second) + R"(
one exec /bin/sleep 100 &
pid=$(wait_for )" + first.dir() + R"(/pid)
two exec /bin/sh -c 'ping -c 1 -W 5 10.77.0.2 && ping -c 1 -W 5 10.77.0.1 && ip route && ip addr'
busybox ping -c 1 -W 5 10.77.0.2 > /dev/null && echo host to one
ip -o link show master br0
one exec /bin/ping -c 1 -W 5 10.77.0.1 > /dev/null && echo one to host
kill -KILL $pid
wait || true
echo left: $(ip -o link | cut -d: -f2))");
  INFO(done.out << done.err);
  CHECK(done.exit_code == 0);
  CHECK(contains(done.out, "64 bytes from 10.77.0.2"));
  CHECK(contains(done.out, "64 bytes from 10.77.0.1"));
  CHECK(contains(done.out, "default via 10.77.0.1 dev eth0"));
  CHECK(contains(done.out, "inet 10.77.0.3/24"));
  CHECK(contains(done.out, "host to one"));
  CHECK(contains(done.out, "one to host"));
  CHECK(contains(done.out, ": vt"));  // the prefix, and four characters more
  CHECK(contains(done.out, "mtu 1400"));
  CHECK(done.out.ends_with("left: lo br0\n"));
}

TEST_CASE("loopback is up, with its address and the size that is asked for", "[S34]") {
  LegacyScene scene;
  scene.config["networks"] = {
      {{"type", "loopback"}, {"mtu", 1500}, {"address", "127.0.0.1/0"}, {"gateway", "localhost"}}};
  const std::string link = scene.sh("ip addr show lo; ping -c 1 -W 5 127.0.0.1");
  CHECK(contains(link, "LOOPBACK,UP,LOWER_UP> mtu 1500"));
  CHECK(contains(link, "inet 127.0.0.1/8"));
  CHECK(contains(link, "64 bytes from 127.0.0.1"));
  scene.config["networks"][0]["address"] = "10.99.0.1/32";
  CHECK(contains(scene.sh("ip addr show lo"), "inet 10.99.0.1/32"));
}

TEST_CASE("a network of the type netns is a namespace that is joined", "[S36]") {
  LegacyScene scene;
  const Process other({"unshare", "--net", "sleep", "100"});
  const std::string path = "/proc/" + std::to_string(other.pid()) + "/ns/net";
  char own[64] = {};
  REQUIRE(readlink("/proc/self/ns/net", own, sizeof own - 1) > 0);
  char target[64] = {};
  REQUIRE(eventually([&] {
    return readlink(path.c_str(), target, sizeof target - 1) > 0 && std::string(target) != own;
  }));
  scene.config["networks"] = {{{"type", "netns"}, {"context", {{"nspath", path}}}}};
  CHECK(scene.sh("readlink /proc/self/ns/net") == target);
}

TEST_CASE("the single network of March 2014 is a network", "[S37]") {
  LegacyScene scene;
  scene.config["network"] = {
      {"ip", "10.77.0.9/24"}, {"gateway", "10.77.0.1"}, {"bridge", "br0"}, {"mtu", 1400}};
  const Outcome done =
      on_a_host(function_of("one", scene) + "one exec /bin/ping -c 1 -W 5 10.77.0.1");
  INFO(done.out << done.err);
  CHECK(done.exit_code == 0);
}

TEST_CASE("routes are added after the interfaces", "[S38]") {
  LegacyScene scene;
  scene.config["networks"] = {veth("10.77.0.2/24")};
  scene.config["routes"] = {
      {{"destination", "10.88.0.0/16"}, {"gateway", "10.77.0.7"}, {"interface_name", "eth0"}},
      {{"destination", "10.99.0.0/16"}, {"source", "10.77.0.2/24"}, {"interface_name", "eth0"}}};
  Outcome done = on_a_host(function_of("one", scene) + "one exec /bin/ip route");
  INFO(done.err);
  const std::string routes = without_spaces_twice(done.out);
  CHECK(contains(routes, "10.88.0.0/16 via 10.77.0.7 dev eth0"));
  CHECK(contains(routes, "10.99.0.0/16 dev eth0 scope link src 10.77.0.2"));
  scene.config["routes"] = {{{"gateway", "10.5.5.5"}}};
  done = on_a_host(function_of("one", scene) + "one exec /bin/true; ip -o link | grep vt; exit 3");
  CHECK(contains(done.err, "/routes/0"));
}

TEST_CASE("a converted container.json takes its networks along", "[S44]") {
  LegacyScene scene;
  scene.config["networks"] = {veth("10.77.0.2/24")};
  scene.config["routes"] = {{{"destination", "10.88.0.0/16"}, {"gateway", "10.77.0.7"}}};
  const std::string words = scene.argv({})[0] + " ";
  const Outcome done = on_a_host("cd " + scene.dir() + "\n" + words +
                                 "convert container.json /bin/ip route > config.json\n" + words +
                                 "--root " + scene.bundle().dir() + "/state run " + scene.mark());
  INFO(done.err);
  CHECK(contains(done.out, "default via 10.77.0.1 dev eth0"));
  CHECK(contains(done.out, "10.88.0.0/16 via 10.77.0.7 dev eth0"));
}

TEST_CASE("a network of config.json has all that its annotation says", "[L57]") {
  Bundle bundle;
  bundle.capabilities({"CAP_NET_RAW"});
  set_networks(bundle, {{{"type", "veth"},
                         {"name", "net7"},
                         {"bridge", "br0"},
                         {"mac_address", "02:42:0a:4d:00:07"},
                         {"address", "10.77.0.7/24"},
                         {"ipv6_address", "fd77::7/64"},
                         {"ipv6_gateway", "fd77::1"},
                         {"mtu", 1300},
                         {"txqueuelen", 77},
                         {"host_interface_name", "hostend"},
                         {"hairpin_mode", true}}});
  SECTION("in a network namespace of its own") {}
  SECTION("owned by a user namespace") { bundle.user_namespace(); }
  bundle.script("ip addr show net7; ip -6 route; ping6 -c 1 -W 5 fd77::1");
  bundle.hook("createRuntime", "");
  Hull hull(bundle);
  bundle.config["hooks"]["createRuntime"][0]["path"] = "/bin/sh";
  bundle.config["hooks"]["createRuntime"][0]["args"] = {
      "sh", "-c", "ip -d link show hostend > " + bundle.dir() + "/host"};
  const Outcome done = run_on_a_host(bundle, hull, "", "ip -o link | cut -d: -f2");
  INFO(done.out << done.err);
  CHECK(done.exit_code == 0);
  CHECK(contains(done.out, "02:42:0a:4d:00:07"));
  CHECK(contains(done.out, "mtu 1300"));
  CHECK(contains(done.out, "qlen 77"));
  CHECK(contains(done.out, "inet 10.77.0.7/24 brd 10.77.0.255"));
  CHECK(contains(done.out, "inet6 fd77::7/64"));
  CHECK(contains(without_spaces_twice(done.out), "default via fd77::1 dev net7"));
  CHECK(contains(done.out, "1 packets received"));
  CHECK(done.out.ends_with(" lo\n br0\n"));
  const std::string host = bundle.read("host");
  INFO(host);
  CHECK(contains(host, "hairpin on"));
  CHECK(contains(host, "mtu 1300"));
  CHECK(contains(host, "qlen 77"));
  CHECK(contains(host, "master br0"));
  CHECK(contains(host, "alias hull:" + hull.id()));
}

TEST_CASE("a network that can't be made is an error that names it, and leaves nothing", "[L57]") {
  struct Row {
    Json changes;
    const char* error;
    const char* field;
  };
  const Row rows[] = {
      {{{"bridge", "br9"}}, "there is no network device", "/networks/0/bridge"},
      {{{"bridge", "lo"}}, "rtnetlink", "/networks/0/bridge"},
      {{{"bridge", ""}}, "bridge is not specified", "/networks/0/bridge"},
      {{{"host_interface_name", "taken"}}, "already", "/networks/0/host_interface_name"},
      {{{"host_interface_name", "a name"}}, "no name of", "/networks/0/host_interface_name"},
      {{{"name", "lo"}}, "already", "/networks/0/name"},
      {{{"type", "ipvlan"}}, "unknown type of network", "/networks/0/type"},
      {{{"address", "10.77.0.2"}}, "prefix length", "/networks/0/address"},
      {{{"address", "fd77::2/64"}}, "prefix length", "/networks/0/address"},
      {{{"gateway", "10.5.5.5"}}, "rtnetlink", "/networks/0/gateway"},
      {{{"mac_address", "02:42"}}, "no hardware address", "/networks/0/mac_address"},
      {{{"mac_address", "01:00:5e:00:00:01"}}, "rtnetlink", "/networks/0"},
      {{{"mtu", "big"}}, "must be a number", "/annotations/run.hull.networks/0/mtu"},
  };
  for (const Row& row : rows) {
    INFO(row.changes);
    Bundle bundle;
    Json network = {{"type", "veth"}, {"bridge", "br0"}, {"address", "10.77.0.2/24"}};
    network.update(row.changes);
    set_networks(bundle, Json::array({network}));
    Hull hull(bundle);
    const Outcome done =
        run_on_a_host(bundle, hull, "ip link add taken type bridge", "ip -o link | cut -d: -f2");
    INFO(done.out << done.err);
    CHECK(done.exit_code == 1);
    CHECK(contains(done.err, row.error));
    CHECK(contains(done.err, "(" + std::string(row.field)));
    CHECK(done.out == " lo\n br0\n taken\n");
  }
}

TEST_CASE("networks need a network namespace that is not the host's", "[L57]") {
  Bundle bundle;
  set_networks(bundle, {{{"type", "veth"}, {"bridge", "br0"}}});
  SECTION("none") {
    bundle.remove_name_space("network");
    bundle.remove_mount("/sys");
  }
  SECTION("the host's own") { bundle.name_space("network")["path"] = "/proc/self/ns/net"; }
  Hull hull(bundle);
  const Outcome done = run_on_a_host(bundle, hull);
  CHECK(done.exit_code == 1);
  CHECK(contains(done.err, "(/networks"));
}

TEST_CASE("in a network namespace that is joined the pair goes with the container", "[L57]") {
  Bundle bundle;
  bundle.script("ip -o link | cut -d: -f2");
  std::string bridge = "br0";
  SECTION("that has run") {}
  SECTION("that could not be made") { bridge = "lo"; }
  set_networks(bundle, {{{"type", "veth"}, {"bridge", bridge}, {"name", "in0"}}});
  bundle.name_space("network")["path"] = bundle.dir() + "/netns";
  write_file(bundle.dir() + "/netns", "");
  Hull hull(bundle);
  const std::string netns = bundle.dir() + "/netns";
  const Outcome done = run_on_a_host(
      bundle, hull,
      "unshare --net sh -c 'echo $$ > " + netns + ".pid; exec sleep 100' &\nholder=$(wait_for " +
          netns + ".pid)\nln -sf /proc/$holder/ns/net " + netns,
      "ip -o link | cut -d: -f2; nsenter --net=/proc/$holder/ns/net ip -o link | cut -d: -f2; kill "
      "$holder");
  INFO(done.out << done.err);
  if (bridge == "br0") {
    CHECK(done.out == " lo\n in0@if3\n lo\n br0\n lo\n");
  } else {
    CHECK(done.out == " lo\n br0\n lo\n");
  }
}

TEST_CASE("delete removes its own pair only", "[L57]") {
  Bundle bundle;
  set_networks(bundle, {{{"type", "veth"}, {"bridge", "br0"}, {"host_interface_name", "mine"}}});
  bundle.args({"/bin/sleep", "100"});
  Hull hull(bundle);
  bundle.save();
  std::string call;
  for (const std::string& word : hull.argv({})) call += word + " ";
  const Outcome done = on_a_host(call + "create --bundle " + bundle.dir() + " " + hull.id() + "\n" +
                                 R"(ip -o link show mine > /dev/null
ip link delete mine
ip link add mine type bridge
)" + call + "delete --force " + hull.id() +
                                 "\nip -o link | cut -d: -f2");
  INFO(done.err);
  CHECK(done.out == " lo\n br0\n mine\n");
}

TEST_CASE("statistics count what goes over the pair", "[S46][L83]") {
  LegacyScene scene;
  scene.config["networks"] = {veth("10.77.0.2/24")};
  std::string call;
  for (const std::string& word : scene.argv({})) {
    if (word == "nsinit") break;
    call += word + " ";
  }
  const Outcome done = on_a_host(function_of("one", scene) + R"(
one exec /bin/sleep 100 &
pid=$(wait_for )" + scene.dir() + R"(/pid)
one exec /bin/ping -c 1 -s 1000 -W 5 10.77.0.1 > /dev/null
one stats
echo ,
one exec /bin/ping -c 3 -s 1000 -W 5 -i 0.1 10.77.0.1 > /dev/null
one stats
echo ,
)" + call + "events --stats $(" + call +
                                 R"(list -q)
kill -KILL $pid
wait || true)");
  INFO(done.out << done.err);
  const Json all = Json::parse("[" + done.out + "]");
  const Json& before = all[0].at("network_stats");
  const Json& after = all[1].at("network_stats");
  CHECK(before.at("tx_bytes") > 1000);
  CHECK(before.at("rx_bytes") > 1000);
  CHECK(after.at("tx_bytes") >= before.at("tx_bytes").get<int>() + 3000);
  CHECK(after.at("rx_packets") >= before.at("rx_packets").get<int>() + 3);
  CHECK(after.at("rx_errors") == 0);
  const Json& interface = all[2].at("data").at("network_interfaces").at(0);
  CHECK(interface.at("Name").get<std::string>().starts_with("vt"));
  CHECK(interface.at("Name").get<std::string>().size() == 6);
  CHECK(interface.at("RxBytes") >= after.at("rx_bytes"));
  CHECK(interface.at("TxDropped") == 0);
}

}  // namespace hull::conformance
