// Checkpoints in several steps and by way of the network, many containers, other places.
#include <fcntl.h>
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

// Some memory, so that a second dump has something to leave out, and a number that goes up.
constexpr char kProgram[] =
    "block=$(head -c 400000 /dev/zero | tr '\\0' x); i=0; "
    "while :; do i=$((i+1)); echo $i ${#block} > /count.new; mv /count.new "
    "/count; sleep 0.02; "
    "done";

int count(const Bundle& bundle) {
  const std::string text = bundle.read("rootfs/count");
  return text.empty() ? 0 : std::stoi(text);
}

bool counts_on(const Bundle& bundle) {
  const int now = count(bundle);
  return patiently([&] { return count(bundle) > now + 2; }) &&
         contains(bundle.read("rootfs/count"), " 400000");
}

// Whether this kernel and CRIU can do what only some can; the answer of `criu check`.
bool criu_has(const std::string& feature) {
  return run_command({"criu", "check", "--feature", feature}).exit_code == 0;
}

off_t size_of_pages(const std::string& directory) {
  const Outcome sum =
      run_command({"/bin/sh", "-c", "cat " + directory + "/pages-*.img 2>/dev/null | wc -c"});
  return std::stol("0" + sum.out);
}

std::string free_port() {
  static int next = 20000 + getpid() % 20000;
  return std::to_string(next++);
}

}  // namespace

TEST_CASE("memory is dumped before, and the last dump holds what has changed", "[criu][G3]") {
  HULL_NEEDS_CRIU();
  if (!criu_has("mem_dirty_track")) HULL_SKIP("the kernel does not track changes of memory");
  Bundle bundle;
  bundle.script(kProgram);
  Hull hull(bundle);
  hull.launch();
  REQUIRE(counts_on(bundle));
  Checkpoint first(hull, bundle.dir() + "/images/one");
  first.save({"--pre-dump"});
  CHECK(hull.status() == "running");
  CHECK_FALSE(exists(first.images() + "/descriptors.json"));
  Checkpoint second(hull, bundle.dir() + "/images/two");
  second.save({"--pre-dump", "--parent-path", "../one"});
  CHECK(counts_on(bundle));
  Checkpoint last(hull, bundle.dir() + "/images/last");
  last.save({"--parent-path", "../two"});
  CHECK(hull.status().empty());
  const int stopped_at = count(bundle);
  CHECK(size_of_pages(last.images()) < size_of_pages(first.images()));
  last.restore();
  CHECK(counts_on(bundle));
  CHECK(count(bundle) > stopped_at);
}

TEST_CASE("pages go to a page server", "[criu][G10]") {
  HULL_NEEDS_CRIU();
  Bundle bundle;
  bundle.script(kProgram);
  Hull hull(bundle);
  hull.launch();
  REQUIRE(counts_on(bundle));
  const std::string images = bundle.dir() + "/images";
  make_directories(images, 0700);
  const std::string port = free_port();
  Process server({"criu", "page-server", "--images-dir", images, "--address", "127.0.0.1", "--port",
                  port, "-v4", "--log-file", images + "/page-server.log"});
  REQUIRE(patiently(
      [&] { return contains(bundle.read("images/page-server.log"), "Starting page server"); }));
  Checkpoint checkpoint(hull, images);
  checkpoint.save({"--page-server", "127.0.0.1:" + port});
  CHECK(server.wait().exit_code == 0);
  CHECK(size_of_pages(images) > 400'000);
  const int stopped_at = count(bundle);
  checkpoint.restore();
  CHECK(counts_on(bundle));
  CHECK(count(bundle) > stopped_at);
}

TEST_CASE("lazy pages are fetched when the restored container wants them", "[criu][G10]") {
  HULL_NEEDS_CRIU();
  if (!criu_has("uffd-noncoop")) HULL_SKIP("the kernel has no userfaultfd that criu can use");
  Bundle bundle;
  bundle.script(kProgram);
  Hull hull(bundle);
  hull.launch();
  REQUIRE(counts_on(bundle));
  const std::string images = bundle.dir() + "/images";
  const std::string port = free_port();
  int ready[2];
  REQUIRE(pipe2(ready, O_CLOEXEC) == 0);
  Fd reader(ready[0]);
  Fd writer(ready[1]);
  std::vector<std::string> words = {"checkpoint",        "--lazy-pages", "--page-server",
                                    "127.0.0.1:" + port, "--status-fd",  "9",
                                    "--image-path",      images};
  for (const std::string& flag : network_flags()) words.push_back(flag);
  words.push_back(hull.id());
  Process dump(hull.argv(words), {.timeout = std::chrono::seconds(120), .fds = {{ready[1], 9}}});
  writer.reset();
  char byte = 'x';
  INFO(dump.err());
  REQUIRE(read(reader.get(), &byte, 1) == 1);
  CHECK(byte == '\0');
  CHECK(read(reader.get(), &byte, 1) == 0);  // closed
  const int stopped_at = count(bundle);

  Process pages({"criu", "lazy-pages", "--page-server", "--address", "127.0.0.1", "--port", port,
                 "--images-dir", images, "--work-dir", images, "-v4", "--log-file", "lazy.log"},
                {.timeout = std::chrono::seconds(120)});
  REQUIRE(patiently([&] { return exists(images + "/lazy-pages.socket"); }));
  // The stopped container is still there while its pages are: the copy has another name.
  Bundle copy;
  copy.config = bundle.config;
  copy.config["root"]["path"] = bundle.rootfs();
  copy.config["linux"]["cgroupsPath"] = "/" + copy.mark();
  Hull restored(copy);
  copy.save();
  Checkpoint(restored, images).restore({"--lazy-pages", "--work-path", images});
  CHECK(counts_on(bundle));
  CHECK(count(bundle) > stopped_at);
  CHECK(dump.wait().exit_code == 0);
  CHECK(hull.status().empty());
  CHECK(pages.wait().exit_code == 0);
}

TEST_CASE("a status descriptor that can't be written is refused", "[criu][G10]") {
  HULL_NEEDS_CRIU();
  if (!criu_has("uffd-noncoop")) HULL_SKIP("the kernel has no userfaultfd that criu can use");
  Bundle bundle;
  bundle.script(kProgram);
  Hull hull(bundle);
  hull.launch();
  Checkpoint images(hull, bundle.dir() + "/images");
  const std::vector<std::string> lazy = {"--lazy-pages", "--page-server", "127.0.0.1:27",
                                         "--status-fd"};
  const auto with = [&](const std::string& fd) {
    std::vector<std::string> flags = lazy;
    flags.push_back(fd);
    return images.try_save(flags).err;
  };
  CHECK(contains(with("77"), "invalid --status-fd argument 77"));
  CHECK(contains(with("0"), "invalid --status-fd argument 0: not writable"));
  CHECK(hull.status() == "running");
}

TEST_CASE("ten containers are checkpointed and restored side by side", "[criu][slow]") {
  HULL_NEEDS_CRIU();
  std::vector<std::unique_ptr<Bundle>> bundles;
  std::vector<std::unique_ptr<Hull>> hulls;
  for (int i = 0; i < 10; ++i) {
    bundles.push_back(std::make_unique<Bundle>());
    bundles.back()->script(kProgram);
    hulls.push_back(std::make_unique<Hull>(*bundles.back()));
    hulls.back()->launch();
  }
  for (size_t i = 0; i < hulls.size(); ++i) {
    REQUIRE(counts_on(*bundles[i]));
    Checkpoint(*hulls[i], bundles[i]->dir() + "/images").save();
  }
  std::vector<int> stopped_at;
  for (const auto& bundle : bundles) stopped_at.push_back(count(*bundle));
  for (size_t i = 0; i < hulls.size(); ++i)
    Checkpoint(*hulls[i], bundles[i]->dir() + "/images").restore();
  for (size_t i = 0; i < hulls.size(); ++i) {
    CHECK(counts_on(*bundles[i]));
    CHECK(count(*bundles[i]) > stopped_at[i]);
  }
}

TEST_CASE(
    "images are restored from another directory, into another state root "
    "and root file system",
    "[criu][G15]") {
  HULL_NEEDS_CRIU();
  Bundle bundle;
  bundle.script(kProgram);
  make_directories(bundle.dir() + "/data", 0755);
  write_file(bundle.dir() + "/data/name", "old");
  bundle.bind(bundle.dir() + "/data", "/opt/deep/data");
  Hull hull(bundle);
  hull.launch();
  REQUIRE(counts_on(bundle));
  Checkpoint(hull, bundle.dir() + "/images").save();
  const int stopped_at = count(bundle);

  // A fresh root file system has no place to mount on; the files that are open come along.
  Bundle other;
  other.config = bundle.config;
  other.config["linux"]["cgroupsPath"] = "/" + other.mark();
  make_directories(other.dir() + "/data", 0755);
  write_file(other.dir() + "/data/name", "new");
  other.config["mounts"].back()["source"] = other.dir() + "/data";
  REQUIRE(rename((bundle.dir() + "/images").c_str(), (other.dir() + "/moved").c_str()) == 0);
  other.save();
  Hull moved(other);
  Checkpoint(moved, other.dir() + "/moved").restore();
  CHECK(counts_on(other));
  CHECK(count(other) > stopped_at);
  CHECK(moved.inside("cat /opt/deep/data/name") == "new");
}

TEST_CASE("what the init leaves as a zombie is a stopped container", "[criu]") {
  HULL_NEEDS_CRIU();
  Bundle bundle;
  bundle.script(kProgram);
  Hull hull(bundle);
  const KeepZombies nobody_waits;
  hull.launch();
  REQUIRE(counts_on(bundle));
  Checkpoint images(hull, bundle.dir() + "/images");
  images.save();
  CHECK(hull.status().empty());
  images.restore();
  CHECK(counts_on(bundle));
}

TEST_CASE("a paused container is checkpointed, and a leaving one stays paused", "[criu][G18]") {
  HULL_NEEDS_CRIU();
  Bundle bundle;
  bundle.script(kProgram);
  Hull hull(bundle);
  hull.launch();
  REQUIRE(counts_on(bundle));
  REQUIRE(hull.command({"pause", hull.id()}).exit_code == 0);
  Checkpoint images(hull, bundle.dir() + "/images");
  images.save({"--leave-running"});
  CHECK(hull.status() == "paused");
  images.save();
  CHECK(hull.status().empty());
  images.restore();
  CHECK(hull.status() == "running");
  CHECK(counts_on(bundle));
}

}  // namespace hull::conformance
