// Network devices that the container takes over. "The host" is a network namespace of the test's
// own.
#include "conformance/container/bundle.h"
#include "conformance/container/host.h"
#include "conformance/container/hull.h"
#include "libruntime/system/catch.h"
#include "libruntime/system/files.h"

namespace hull::conformance {
namespace {

// Runs a shell script in a network namespace of its own; "$@" is `hull run` of the bundle.
Outcome on_a_host(Bundle& bundle, Hull& hull, const std::string& script) {
  bundle.save();
  std::vector<std::string> words = {"unshare", "--net", "/bin/sh", "-c", "set -e\n" + script, "sh"};
  for (const std::string& word : hull.argv({"run", "--bundle", bundle.dir(), hull.id()}))
    words.push_back(word);
  return run_command(words);
}

const char* const kPair = "ip link add hv0 address 02:00:00:00:00:07 type veth peer name hv1\n";

}  // namespace

TEST_CASE("a network device moves in with its name, hardware address and lasting addresses",
          "[E13]") {
  Bundle bundle;
  bundle.config["linux"]["netDevices"] = {{"hv0", {{"name", "eth7"}}}};
  bundle.script("ip addr show dev eth7; ip link show dev hv0 2>&1");
  SECTION("into a new network namespace") {}
  SECTION("owned by a user namespace") { bundle.user_namespace(); }
  Hull hull(bundle);
  const Outcome done = on_a_host(bundle, hull, kPair + std::string(R"(
ip addr add 10.9.8.7/24 broadcast 10.9.8.255 dev hv0
ip addr add 10.77.8.8/24 dev hv0 scope link
ip addr add 10.78.8.9/24 dev hv0 valid_lft 1000 preferred_lft 1000
ip addr add 10.1.1.1 peer 10.1.1.2 dev hv0
ip addr add 2001:db8::7/64 dev hv0 nodad
ip link set hv0 up
"$@" || true
! ip link show dev hv0
ip -o link)"));
  INFO(done.out << done.err);
  CHECK(done.exit_code == 0);
  CHECK(contains(done.out, "02:00:00:00:00:07"));
  CHECK(contains(done.out, "inet 10.9.8.7/24 brd 10.9.8.255 scope global"));
  CHECK(contains(done.out, "inet 10.1.1.1 peer 10.1.1.2/32"));
  CHECK(contains(done.out, "inet6 2001:db8::7/64 scope global"));
  CHECK(contains(done.out, ",UP"));
  CHECK_FALSE(contains(done.out, "10.77.8.8"));
  CHECK_FALSE(contains(done.out, "10.78.8.9"));
  CHECK(contains(done.out, "can't find device 'hv0'"));
}

TEST_CASE("without a new name a network device keeps its own", "[E13]") {
  Bundle bundle;
  bundle.config["linux"]["netDevices"] = {{"hv0", Json::object()}, {"hv1", nullptr}};
  bundle.script("ip -o link | cut -d: -f2");
  Hull hull(bundle);
  const Outcome done = on_a_host(bundle, hull, kPair + std::string("\"$@\""));
  INFO(done.err);
  CHECK(contains(done.out, " hv0@hv1\n"));
  CHECK(contains(done.out, " hv1@hv0\n"));
}

TEST_CASE("%d in a device's name is a number that the kernel chooses", "[E13]") {
  Bundle bundle;
  bundle.config["linux"]["netDevices"] = {{"hv0", {{"name", "net%d"}}},
                                          {"hv1", {{"name", "net%d"}}}};
  bundle.script("ip -o addr; ip -o link | cut -d: -f2");
  Hull hull(bundle);
  const Outcome done = on_a_host(bundle, hull, kPair + std::string(R"(
ip addr add 10.9.8.7/24 dev hv1
"$@")"));
  INFO(done.out << done.err);
  CHECK(contains(done.out, " net0@net1\n"));
  CHECK(contains(done.out, " net1@net0\n"));
  CHECK(contains(done.out, "net1    inet 10.9.8.7/24"));
}

TEST_CASE("a device whose name is taken in the container stays where it is", "[E13]") {
  Bundle bundle;
  bundle.config["linux"]["netDevices"] = {{"hv0", {{"name", "lo"}}}};
  Hull hull(bundle);
  const Outcome done = on_a_host(bundle, hull, kPair + std::string(R"(
if "$@"; then exit 9; fi
ip link show dev hv0)"));
  INFO(done.out << done.err);
  CHECK(done.exit_code == 0);
  CHECK(contains(done.err, "/linux/netDevices/hv0"));
  CHECK(contains(done.err, "file exists"));
}

TEST_CASE("a device that the host does not have, or may not give, is an error", "[E13]") {
  for (const char* name : {"nosuch0", "lo"}) {
    Bundle bundle;
    bundle.config["linux"]["netDevices"] = {{name, {{"name", "x0"}}}};
    Hull hull(bundle);
    const Outcome done = on_a_host(bundle, hull, "\"$@\"");
    INFO(done.err);
    CHECK(done.exit_code == 1);
    CHECK(contains(done.err, "/linux/netDevices/" + std::string(name)));
  }
}

TEST_CASE("a device can move into a network namespace that is joined, but not into the host's own",
          "[E13]") {
  Bundle first;
  first.args({"/bin/sleep", "100"});
  Hull hull(first);
  hull.launch();
  Bundle second;
  second.name_space("network")["path"] = "/proc/" + std::to_string(hull.pid()) + "/ns/net";
  second.config["linux"]["netDevices"] = {{"hv0", {{"name", "eth7"}}}};
  second.script("exit 0");
  Hull joined(second);
  const std::string there = "nsenter --net=/proc/" + std::to_string(hull.pid()) + "/ns/net ";
  const Outcome done = on_a_host(
      second, joined, kPair + ("\"$@\"\n! ip link show dev hv0\n" + there + "ip -o link"));
  INFO(done.out << done.err);
  // The namespace lives on, and nobody has taken the device back.
  CHECK(done.exit_code == 0);
  CHECK(contains(done.out, "eth7"));

  Bundle own;
  own.name_space("network")["path"] = "/proc/self/ns/net";
  own.config["linux"]["netDevices"] = {{"lo", {{"name", "x0"}}}};
  const std::string error = refusal_of(own);
  INFO(error);
  CHECK(contains(error, "shares the host's network namespace"));
  own.remove_name_space("network");
  CHECK(contains(refusal_of(own), "/linux/netDevices"));
}

}  // namespace hull::conformance
