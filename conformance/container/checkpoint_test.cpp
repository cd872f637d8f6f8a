// Checkpoint and restore, where the host's CRIU works.
#include <unistd.h>

#include <csignal>

#include "conformance/container/bundle.h"
#include "conformance/container/criu.h"
#include "conformance/container/host.h"
#include "conformance/container/hull.h"
#include "libruntime/system/catch.h"
#include "libruntime/system/files.h"

namespace hull::conformance {
namespace {

constexpr char kCounter[] =
    "i=0; while :; do i=$((i+1)); echo $i > /count.new; mv /count.new /count; sleep 0.02; done";

// Numbers that one process sends another by TCP; the last one is in the file.
constexpr char kConversation[] =
    "while :; do sleep 1; done | nc -l -p 7777 | while read i; do echo $i > /count.new; mv "
    "/count.new /count; "
    "done & sleep 0.2; i=0; while :; do i=$((i+1)); echo $i; sleep 0.02; done | nc 127.0.0.1 7777";

int count(const Bundle& bundle) {
  const std::string text = bundle.read("rootfs/count");
  return text.empty() ? 0 : std::stoi(text);
}

bool counts_on(const Bundle& bundle) {
  const int now = count(bundle);
  return patiently([&] { return count(bundle) > now + 2; });
}

}  // namespace

TEST_CASE("a counter goes on after a restore, twice", "[criu][G1][G15][B44][B45][L21]") {
  HULL_NEEDS_CRIU();
  Bundle bundle;
  bundle.script(kCounter);
  Hull hull(bundle);
  hull.launch();
  REQUIRE(counts_on(bundle));
  for (int round = 0; round < 2; ++round) {
    Checkpoint images(hull, bundle.dir() + "/images" + std::to_string(round));
    images.save();
    CHECK(hull.status().empty());
    const int stopped_at = count(bundle);
    CHECK_FALSE(
        eventually([&] { return count(bundle) != stopped_at; }, std::chrono::milliseconds(100)));
    images.restore({"--pid-file", bundle.dir() + "/pid"});
    CHECK(hull.status() == "running");
    CHECK(bundle.read("pid") == std::to_string(hull.pid()));
    CHECK(counts_on(bundle));
    CHECK(count(bundle) > stopped_at);  // goes on, does not begin again
  }
  CHECK(hull.inside("echo ok") == "ok");
  CHECK(hull.command({"pause", hull.id()}).exit_code == 0);
  CHECK(hull.status() == "paused");
}

TEST_CASE("with --leave-running the container goes on", "[criu][G4]") {
  HULL_NEEDS_CRIU();
  Bundle bundle;
  bundle.script(kCounter);
  Hull hull(bundle);
  hull.launch();
  const pid_t before = hull.pid();
  Checkpoint(hull, bundle.dir() + "/images").save({"--leave-running"});
  CHECK(hull.status() == "running");
  CHECK(hull.pid() == before);
  CHECK(counts_on(bundle));
}

TEST_CASE("a TCP connection lives through checkpoint and restore", "[criu][G5]") {
  HULL_NEEDS_CRIU();
  Bundle bundle;
  bundle.script(kConversation);
  Hull hull(bundle);
  hull.launch();
  REQUIRE(counts_on(bundle));
  Checkpoint images(hull, bundle.dir() + "/images");
  const Outcome saved = images.try_save({"--tcp-established"});
  INFO(saved.err);
  if (contains(saved.err, "Can't get 1:16 opt"))
    HULL_SKIP("this criu can't dump sockets of kernels from 6.16 on");
  REQUIRE(saved.exit_code == 0);
  const int stopped_at = count(bundle);
  images.restore({"--tcp-established"});
  CHECK(counts_on(bundle));
  CHECK(count(bundle) > stopped_at);
}

TEST_CASE("a failing checkpoint says what criu says, keeps its log, and the container runs on",
          "[criu][G2][G21][users-ask-23]") {
  HULL_NEEDS_CRIU();
  Bundle bundle;
  bundle.script(std::string("{ ") + kConversation + "; } & while :; do sleep 1; done");
  Hull hull(bundle);
  hull.launch();
  REQUIRE(counts_on(bundle));
  Checkpoint images(hull, bundle.dir() + "/images");
  const Outcome failed = images.try_save({"--work-path", bundle.dir() + "/work"});
  CHECK(failed.exit_code == 1);
  INFO(failed.err);
  CHECK(contains(failed.err, "criu failed: type DUMP errno"));
  CHECK(contains(failed.err, "tcp-established"));
  CHECK(contains(failed.err, bundle.dir() + "/work/dump.log"));
  CHECK(exists(bundle.dir() + "/work/dump.log"));
  CHECK(hull.status() == "running");
  CHECK(hull.inside("echo ok") == "ok");
}

TEST_CASE("only a container that runs can be checkpointed", "[B44]") {
  Bundle bundle;
  Hull hull(bundle);
  REQUIRE(hull.create().exit_code == 0);
  const Outcome refused =
      hull.command({"checkpoint", "--image-path", bundle.dir() + "/images", hull.id()});
  CHECK(refused.exit_code == 1);
  CHECK(contains(refused.err, "Container cannot be checkpointed in created state"));
  CHECK_FALSE(exists(bundle.dir() + "/images"));
}

TEST_CASE("without criu in PATH the error says what to install", "[users-ask-23]") {
  Bundle bundle;
  bundle.args({"/bin/sleep", "100"});
  Hull hull(bundle);
  hull.launch();
  const Outcome refused =
      hull.command({"checkpoint", "--image-path", bundle.dir() + "/images", hull.id()},
                   {.env = {"PATH=/nonexistent"}});
  CHECK(refused.exit_code == 1);
  CHECK(contains(refused.err, "cannot find criu in PATH; install the package criu"));
  CHECK(hull.status() == "running");
}

TEST_CASE("a restore from images that are not there leaves nothing", "[B45]") {
  Bundle bundle;
  bundle.save();
  Hull hull(bundle);
  const Outcome refused = hull.command({"restore", "-d", "--bundle", bundle.dir(), "--image-path",
                                        bundle.dir() + "/absent", hull.id()});
  CHECK(refused.exit_code == 1);
  CHECK(contains(refused.err, "no such file or directory"));
  CHECK(hull.status().empty());
}

}  // namespace hull::conformance
