#include "libruntime/plan/plan.h"

#include "libruntime/plan/channel.h"
#include "libruntime/plan/codec.h"
#include "libruntime/plan/fields.h"
#include "libruntime/plan/hooks.h"
#include "libruntime/system/catch.h"

using namespace hull;

namespace {

plan::Plan sample() {
  plan::Plan out;
  out.id = "c1";
  out.process.args = {"sh", "-c", "true"};
  out.process.umask = 022;
  out.process.capabilities = configs::CapabilityMasks{1, 2, 3, 4, 5};
  out.process.seccomp = configs::SeccompProgram{{7, 8, 9}, 4, true};
  configs::Mount mount;
  mount.destination = "/proc";
  mount.propagation = {1, 2};
  out.rootfs.mounts = {mount, mount};
  out.sysctl = {{"net.a", "1"}, {"net.b", "2"}};
  out.namespace_fds = {configs::NamespaceType::user, configs::NamespaceType::uts};
  return out;
}

}  // namespace

TEST_CASE("A plan comes out of its bytes as it went in", "[L74]") {
  const plan::Plan out = plan::decode<plan::Plan>(plan::encode(sample()));
  CHECK(out.id == "c1");
  CHECK(out.process.args == sample().process.args);
  CHECK(out.process.umask == 022u);
  CHECK(out.process.capabilities->ambient == 5);
  CHECK(out.process.seccomp->instructions == std::vector<uint64_t>{7, 8, 9});
  CHECK(out.rootfs.mounts.size() == 2);
  CHECK(out.rootfs.mounts[1].propagation == std::vector<uint64_t>{1, 2});
  CHECK(out.sysctl.at("net.b") == "2");
  CHECK(out.namespace_fds[1] == configs::NamespaceType::uts);
}

TEST_CASE("Bytes that were cut off or made longer are refused, wherever", "[L74]") {
  const std::string bytes = plan::encode(sample());
  for (size_t size = 0; size < bytes.size(); ++size)
    CHECK_THROWS_AS(plan::decode<plan::Plan>(std::string_view(bytes).substr(0, size)), Error);
  CHECK_THROWS_AS(plan::decode<plan::Plan>(bytes + "x"), Error);
}

TEST_CASE("A message brings its payload and its descriptors") {
  auto [a, b] = plan::Channel::make_pair();
  const int fds[] = {0, 1};
  a.send(plan::MessageType::plan, "hello", fds);
  const auto message = b.receive();
  REQUIRE(message.has_value());
  CHECK(message->type == plan::MessageType::plan);
  CHECK(message->payload == "hello");
  CHECK(message->fds.size() == 2);
}

TEST_CASE("A payload that is larger than a packet arrives whole", "[L74]") {
  auto [a, b] = plan::Channel::make_pair();
  const std::string large(5 << 20, 'p');
  a.send(plan::MessageType::plan, large);
  CHECK(b.receive()->payload == large);
}

TEST_CASE("A number may be sent without sendmsg") {
  auto [a, b] = plan::Channel::make_pair();
  a.send_number(plan::MessageType::seccomp_listener, 17);
  CHECK(plan::number_of(*b.receive()) == 17);
}

TEST_CASE("The end of a peer is seen") {
  auto [a, b] = plan::Channel::make_pair();
  a.close();
  CHECK_FALSE(b.receive().has_value());
  CHECK_THROWS_AS(b.send(plan::MessageType::proceed), Error);
}

TEST_CASE("The last words of a peer are heard although it read nothing") {
  auto [a, b] = plan::Channel::make_pair();
  b.send(plan::MessageType::plan, "unread");
  a.send_number(plan::MessageType::stillborn, 5);
  a.close();
  const auto message = b.receive();
  REQUIRE(message.has_value());
  CHECK(plan::number_of(*message) == 5);
  CHECK_FALSE(b.receive().has_value());
}

TEST_CASE("An error travels with all its parts", "[L81][L36]") {
  const Error in = Error("m", "mount", 22).stage("s").field("/f").hint("h");
  const Error out = plan::decode_error(plan::encode_error(in));
  CHECK(std::string(out.what()) == in.what());
  CHECK(out.code() == 22);
}

TEST_CASE("A failing hook is named with kind, index, status and output, and stops the rest") {
  configs::Hook good{"/bin/true", {}, {}, "", {}};
  configs::Hook bad{"/bin/sh", {"sh", "-c", "cat; echo why >&2; exit 4"}, {}, "", {}};
  configs::Hook never{"/bin/sh", {"sh", "-c", "echo must not run; exit 9"}, {}, "", {}};
  try {
    plan::run_hooks({good, bad, never}, "prestart", "{state}", true);
    FAIL("no error");
  } catch (const Error& e) {
    CHECK(e.field() == "/hooks/prestart/1");
    CHECK(e.message() ==
          "error running prestart hook #1: \"/bin/sh\": exit status 4, output: {state}why");
  }
}

TEST_CASE("A hook that is killed or missing says so") {
  configs::Hook slow{"/bin/sleep", {"sleep", "100"}, {}, "", 50'000'000};
  CHECK_THROWS_WITH(plan::run_hooks({slow}, "poststart", "", true),
                    hull::testing::contains("ran past specified timeout"));
  configs::Hook missing{"/no/such", {}, {}, "", {}};
  CHECK_THROWS_WITH(plan::run_hooks({missing}, "poststart", "", true),
                    hull::testing::contains("no such file"));
}
