#include "conformance/attacks/box.h"

#include <fcntl.h>
#include <ftw.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <filesystem>

#include "libruntime/system/error.h"
#include "libruntime/system/files.h"

namespace hull::conformance {
namespace {

constexpr char kSecret[] = "the host's secret, 6f1d";

std::vector<std::string> joined(std::vector<std::string> first,
                                const std::vector<std::string> &second) {
  first.insert(first.end(), second.begin(), second.end());
  return first;
}

std::string described(const std::filesystem::directory_entry &entry) {
  struct stat info {};
  if (lstat(entry.path().c_str(), &info) != 0) return entry.path().string() + " gone";
  std::string out = entry.path().string() + " " + std::to_string(info.st_mode) + " " +
                    std::to_string(info.st_uid) + ":" + std::to_string(info.st_gid);
  if (S_ISREG(info.st_mode)) out += " " + read_file(entry.path().string());
  if (S_ISLNK(info.st_mode)) out += " -> " + std::filesystem::read_symlink(entry).string();
  return out + "\n";
}

}  // namespace

std::string snapshot(const std::string &directory) {
  if (!exists(directory)) return "it is gone";
  std::vector<std::string> lines;
  for (const auto &entry : std::filesystem::recursive_directory_iterator(directory))
    lines.push_back(described(entry));
  std::sort(lines.begin(), lines.end());
  std::string out;
  for (const std::string &line : lines) out += line;
  return out;
}

Box::Box(const Arena &arena) : arena_(arena) {
  make_directories(decoy() + "/directory", 0755);
  write_file(secret(), kSecret, 0600);
  decoy_before_ = snapshot(decoy());
}

Box::~Box() {
  CommandOptions options;
  options.timeout = std::chrono::seconds(10);
  if (exists(bundle.dir() + "/state/" + id())) (void)command({"delete", "--force", id()}, options);
  for (const pid_t pid : processes_with(id())) kill(pid, SIGKILL);
  eventually([&] { return processes_with(id()).empty(); }, std::chrono::seconds(2));
  for (const std::string &path : cgroups_with(id())) rmdir(path.c_str());
}

void Box::decoy_is_untouched() const {
  const std::string now = snapshot(decoy());
  if (now != decoy_before_) throw Breach{"the host's directory was changed: " + now};
}

void Box::tells_no_secret(const std::string &text) const {
  if (text.find(kSecret) != std::string::npos) throw Breach{"a file of the host was read"};
}

Outcome Box::command(std::vector<std::string> words, const CommandOptions &options) const {
  words = joined({arena_.runtime.path, "--root", bundle.dir() + "/state"}, words);
  return run_command(words, options);
}

Outcome Box::run(std::vector<std::string> flags, const CommandOptions &options) const {
  bundle.save();
  flags.push_back(id());
  return command(joined({"run", "--bundle", bundle.dir()}, flags), options);
}

Outcome Box::create(std::vector<std::string> flags, const CommandOptions &options) const {
  bundle.save();
  flags.push_back(id());
  return command(joined({"create", "--bundle", bundle.dir()}, flags), options);
}

Outcome Box::exec(const std::vector<std::string> &args, std::vector<std::string> flags,
                  const CommandOptions &options) const {
  flags.push_back(id());
  return command(joined(joined({"exec"}, flags), args), options);
}

void Box::launch() const {
  const Outcome created = create();
  if (created.exit_code != 0) throw Error("create of the harmless twin fails: " + created.err);
  const Outcome started = command({"start", id()});
  if (started.exit_code != 0) throw Error("start of the harmless twin fails: " + started.err);
}

pid_t Box::pid() const {
  const Outcome asked = command({"state", id()});
  if (asked.exit_code != 0) throw Error("state fails: " + asked.err);
  return Json::parse(asked.out).at("pid").get<pid_t>();
}

void Box::remove() const {
  const Outcome done = command({"delete", "--force", id()});
  if (done.exit_code != 0) throw Breach{"delete --force fails: " + done.err};
}

std::string Box::must_work(const std::string &expected) const {
  const Outcome done = run();
  if (done.exit_code != 0 || done.out.find(expected) == std::string::npos)
    throw Error("the harmless twin does not work: " + std::to_string(done.exit_code) + " " +
                done.out + done.err);
  return done.out;
}

std::optional<std::string> Box::judged(const Outcome &done) {
  if (done.exit_code == -1) throw Breach{"the runtime hangs"};
  if ((done.exit_code > 128 && done.exit_code < 128 + 64) ||
      done.err.find("goroutine 1 [") != std::string::npos)
    throw Breach{"the runtime crashes: " + done.err};
  if (done.exit_code != 0) return std::nullopt;
  return done.out + done.err;
}

std::optional<std::string> Box::attempt(std::vector<std::string> flags) const {
  return judged(run(std::move(flags)));
}

void Box::put(const std::string &path, const std::string &content, mode_t mode) const {
  drop(path);
  write_file(bundle.rootfs(path), content, mode);
}

void Box::link(const std::string &target, const std::string &path) const {
  drop(path);
  if (symlink(target.c_str(), bundle.rootfs(path).c_str()) != 0)
    throw Error("making a link", "symlink", errno);
}

void Box::directory(const std::string &path) const { make_directories(bundle.rootfs(path), 0755); }

void Box::drop(const std::string &path) const { std::filesystem::remove_all(bundle.rootfs(path)); }

Swapper::Swapper(std::string one, std::string other) {
  const pid_t parent = getpid();
  pid_ = fork();
  if (pid_ < 0) throw Error("starting an attacker", "fork", errno);
  if (pid_ > 0) return;
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  while (getppid() == parent)
    (void)renameat2(AT_FDCWD, one.c_str(), AT_FDCWD, other.c_str(), RENAME_EXCHANGE);
  _exit(0);
}

Swapper::~Swapper() {
  kill(pid_, SIGKILL);
  while (waitpid(pid_, nullptr, 0) < 0 && errno == EINTR) continue;
}

}  // namespace hull::conformance
