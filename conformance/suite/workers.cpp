#include "conformance/suite/workers.h"

#include <sched.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <new>

#include "conformance/suite/scene.h"
#include "libruntime/system/error.h"
#include "libruntime/system/fd.h"
#include "libruntime/system/files.h"
#include "libruntime/system/text.h"

namespace hull::conformance {
namespace {

constexpr unsigned kSecondsACase = 90;

// The next case to be played, shared by all workers.
class Counter {
 public:
  Counter() {
    void* page = mmap(nullptr, sizeof(std::atomic<size_t>), PROT_READ | PROT_WRITE,
                      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (page == MAP_FAILED) throw Error("sharing a counter", "mmap", errno);
    next_ = new (page) std::atomic<size_t>(0);
  }
  ~Counter() { munmap(static_cast<void*>(next_), sizeof *next_); }
  Counter(const Counter&) = delete;
  Counter& operator=(const Counter&) = delete;
  size_t take() { return (*next_)++; }

 private:
  std::atomic<size_t>* next_;
};

Json to_json(size_t index, const Result& result) {
  return {{"case", index},
          {"status", static_cast<int>(result.status)},
          {"reason", result.reason},
          {"evidence", result.evidence},
          {"seconds", result.seconds}};
}

Result from_json(const Json& json) {
  return {static_cast<Status>(json.at("status").get<int>()), json.at("reason").get<std::string>(),
          json.at("evidence"), json.at("seconds").get<double>()};
}

[[noreturn]] void work(const std::vector<Case>& cases, const Runtime& runtime,
                       const PlayOptions& options, Counter& counter, int output) {
  try {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    enter_own_mounts(options.pure_v1);
    for (size_t index = counter.take(); index < cases.size(); index = counter.take()) {
      alarm(kSecondsACase);  // ends this worker: its case then has no result
      const Result result = Scene(cases[index], runtime, options.probe).play();
      write_all(output,
                to_json(index, result).dump(-1, ' ', true, Json::error_handler_t::replace) + "\n",
                "results");
    }
    _exit(0);
  } catch (const std::exception& error) {
    dprintf(STDERR_FILENO, "hull-conformance: a worker ended: %s\n", error.what());
    _exit(1);
  }
}

}  // namespace

void enter_own_mounts(bool pure_v1) {
  if (unshare(CLONE_NEWNS) != 0) throw Error("making a mount namespace", "unshare", errno);
  for (const unsigned long kind : {1UL * MS_PRIVATE, 1UL * MS_SHARED})
    if (mount(nullptr, "/", nullptr, kind | MS_REC, nullptr) != 0)
      throw Error("changing the propagation of mounts", "mount", errno);
  if (pure_v1) umount2("/sys/fs/cgroup/unified", MNT_DETACH);
}

std::vector<Result> play_all(const std::vector<Case>& cases, const Runtime& runtime,
                             const PlayOptions& options) {
  const Bundle prototype;  // makes the root file system that all bundles are copies of
  Counter counter;
  std::vector<std::pair<pid_t, Fd>> workers;
  for (int i = 0; i < options.jobs; ++i) {
    Fd output(memfd_create("results", MFD_CLOEXEC));
    if (!output) throw Error("making a file in memory", "memfd_create", errno);
    const pid_t pid = fork();
    if (pid < 0) throw Error("starting a worker", "fork", errno);
    if (pid == 0) work(cases, runtime, options, counter, output.get());
    workers.emplace_back(pid, std::move(output));
  }
  std::vector<Result> results(cases.size());
  for (Result& result : results) result.reason = "no result: the case hung or crashed its worker";
  for (const auto& [pid, output] : workers) {
    while (waitpid(pid, nullptr, 0) < 0 && errno == EINTR) continue;
    lseek(output.get(), 0, SEEK_SET);
    const std::string text = read_all(output.get(), "results", size_t{1} << 30);
    for (const std::string_view line : split(trim(text), '\n')) {
      if (line.empty()) continue;
      const Json json = Json::parse(line);
      results.at(json.at("case").get<size_t>()) = from_json(json);
    }
  }
  return results;
}

}  // namespace hull::conformance
