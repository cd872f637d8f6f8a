// What a container can reach of the runtime: its descriptors, its executable,
// its directories.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>

#include "conformance/attacks/box.h"
#include "libruntime/system/error.h"
#include "libruntime/system/files.h"

namespace hull::conformance {
namespace {

using std::chrono::seconds;

constexpr int kSlow = 10;  // an exec takes this many times as long as a look

void put_attacker(const Box &box, const Arena &arena) {
  std::filesystem::copy_file(arena.attacker, box.bundle.rootfs("/attacker"));
}

// A copy of the runtime, so that an attack that works does no harm.
class OwnRuntime {
 public:
  explicit OwnRuntime(const Arena &arena, const Box &box)
      : path_(box.bundle.dir() + "/runtime-" + arena.runtime.name) {
    std::filesystem::copy_file(arena.runtime.path, path_);
    before_ = read_file(path_, size_t{1} << 30);
  }
  [[nodiscard]] Arena arena(Arena other) const {
    other.runtime.path = path_;
    return other;
  }
  void is_untouched() const {
    if (read_file(path_, size_t{1} << 30) != before_)
      throw Breach{"the runtime's executable was overwritten"};
  }

 private:
  std::string path_, before_;
};

std::string first_line_with(const std::string &text, const std::string &word) {
  const size_t at = text.find(word);
  return at == std::string::npos ? "" : text.substr(at, text.find('\n', at) - at);
}

// Runs many execs in a container whose first process looks at each.
void watch_execs(const Arena &arena, Box &box, int rounds) {
  const std::string out = box.bundle.dir() + "/out";
  make_directories(out, 0777);
  if (chmod(out.c_str(), 0777) != 0) throw Error("setting a mode", "chmod", errno);
  box.bundle.bind(out, "/out");
  put_attacker(box, arena);
  box.bundle.script("exec /attacker watch 120 " + box.secret() + " > /out/seen");
  box.launch();
  eventually([&] { return box.bundle.read("out/seen").starts_with("watching"); });
  for (int i = 0; i < rounds; ++i) {
    const Outcome done = box.exec({"/bin/true"});
    if (done.exit_code != 0) throw Error("exec of the harmless twin fails: " + done.err);
    if (i % 8 != 0) continue;
    if (const std::string leak = first_line_with(box.bundle.read("out/seen"), "LEAK");
        !leak.empty())
      throw Breach{"round " + std::to_string(i) + ": " + leak};
  }
  if (const std::string leak = first_line_with(box.bundle.read("out/seen"), "LEAK"); !leak.empty())
    throw Breach{leak};
  if (box.pid() == 0) throw Error("the attacker has ended");
}

void exec_is_watched(const Arena &arena) {
  Box box(arena);
  watch_execs(arena, box, arena.rounds / 5);
}

void exec_is_traced(const Arena &arena) {
  Box box(arena);
  box.bundle.capabilities({"CAP_SYS_PTRACE", "CAP_KILL", "CAP_DAC_OVERRIDE"});
  watch_execs(arena, box, arena.rounds / 5);
}

void exec_in_user_namespace_is_traced(const Arena &arena) {
  Box box(arena);
  box.bundle.user_namespace();
  box.bundle.capabilities({"CAP_SYS_PTRACE", "CAP_KILL", "CAP_DAC_OVERRIDE"});
  watch_execs(arena, box, arena.rounds / 5);
}

// A second container joins the PID namespace of the first.
void create_is_traced(const Arena &arena) {
  Box first(arena);
  first.bundle.capabilities({"CAP_SYS_PTRACE", "CAP_KILL", "CAP_DAC_OVERRIDE"});
  watch_execs(arena, first, 1);
  Box second(arena);
  second.bundle.name_space("pid")["path"] = "/proc/" + std::to_string(first.pid()) + "/ns/pid";
  second.bundle.script("true");
  for (int i = 0; i < arena.rounds / 5; ++i) {
    second.must_work();
    const std::string leak = first_line_with(first.bundle.read("out/seen"), "LEAK");
    if (!leak.empty()) throw Breach{"round " + std::to_string(i) + ": " + leak};
  }
}

void executable_is_overwritten(const Arena &given) {
  Box box(given);
  const OwnRuntime own(given, box);
  const Arena arena = own.arena(given);
  Box inside(arena);
  const std::string out = inside.bundle.dir() + "/out";
  make_directories(out, 0777);
  inside.bundle.bind(out, "/out");
  inside.bundle.capabilities({"CAP_SYS_PTRACE", "CAP_KILL", "CAP_DAC_OVERRIDE"});
  put_attacker(inside, arena);
  inside.put("/bin/trap", "#!/proc/self/exe\n", 0755);
  inside.bundle.script("exec /attacker overwrite 180 > /out/seen");
  inside.launch();
  eventually([&] { return inside.bundle.read("out/seen").starts_with("watching"); });
  for (int i = 0; i < arena.rounds / 2; ++i) {
    (void)inside.exec({i % 2 == 0 ? "/bin/trap" : "/proc/self/exe"});
    if (i % 16 == 0) own.is_untouched();
  }
  own.is_untouched();
  inside.remove();
  inside.bundle.args({"/proc/self/exe"});
  for (int i = 0; i < kSlow; ++i) (void)inside.run();
  own.is_untouched();
}

void working_directory_is_descriptor(const Arena &arena) {
  Box box(arena);
  box.bundle.script("cat ../../../../../../../.." + box.secret() + "; pwd");
  box.bundle.config["process"]["cwd"] = "/mnt";
  box.must_work("/mnt");
  for (int fd = 3; fd < 25; ++fd) {
    box.bundle.config["process"]["cwd"] = "/proc/self/fd/" + std::to_string(fd);
    if (const auto out = box.attempt()) box.tells_no_secret(*out);
    box.link("/proc/self/fd/" + std::to_string(fd), "/image-dir");
    box.bundle.config["process"]["cwd"] = "/image-dir";
    if (const auto out = box.attempt()) box.tells_no_secret(*out);
  }
}

void exec_directory_is_descriptor(const Arena &arena) {
  Box box(arena);
  box.bundle.script("sleep 60");
  box.launch();
  const std::vector<std::string> look = {"/bin/sh", "-c",
                                         "cat ../../../../../../../.." + box.secret() + "; pwd"};
  if (box.exec(look, {"--cwd", "/mnt"}).out != "/mnt\n")
    throw Error("exec of the harmless twin fails");
  for (int fd = 3; fd < 25; ++fd) {
    const auto out = Box::judged(box.exec(look, {"--cwd", "/proc/self/fd/" + std::to_string(fd)}));
    if (out) box.tells_no_secret(*out);
  }
}

// A caller forgot to close a directory of the host's.
void callers_descriptors_stay_out(const Arena &arena) {
  Box box(arena);
  const Fd leaked = open_or_throw(AT_FDCWD, "/", O_RDONLY | O_DIRECTORY);
  CommandOptions options;
  for (const int number : {3, 5, 7, 9, 40}) options.fds.emplace_back(leaked.get(), number);
  box.bundle.script("for n in 3 5 7 9 40; do cat /proc/self/fd/$n" + box.secret() +
                    "; done; echo end");
  const Outcome done = box.run({}, options);
  if (done.out.find("end") == std::string::npos) throw Error("the twin fails: " + done.err);
  box.tells_no_secret(done.out);
  box.bundle.script("sleep 60");
  box.launch();
  const Outcome in =
      box.exec({"/bin/sh", "-c",
                "for n in 3 5 7 9 40; do cat /proc/self/fd/$n" + box.secret() + "; done; true"},
               {}, options);
  if (in.exit_code != 0) throw Error("exec of the harmless twin fails: " + in.err);
  box.tells_no_secret(in.out);
}

void no_descriptor_of_its_own(const Arena &arena) {
  Box box(arena);
  const std::string look =
      "for n in 3 4 5 6 7 8 9 10 11 12 13 14 15 20 30 99; "
      "do readlink /proc/self/fd/$n; done; "
      "echo end";
  box.bundle.script(look);
  if (const std::string out = box.must_work("end"); out != "end\n")
    throw Breach{"the program has more than its standard streams: " + out};
  box.bundle.script("sleep 60");
  box.launch();
  const Outcome in = box.exec({"/bin/sh", "-c", look});
  if (in.out != "end\n") throw Breach{"exec's program has more: " + in.out};
}

constexpr Attack kAttacks[] = {
    {"exec-watched", "CVE-2016-9962", "a container looks at each new process", exec_is_watched},
    {"exec-traced", "CVE-2016-9962", "the same, with CAP_SYS_PTRACE", exec_is_traced},
    {"exec-traced-userns", "CVE-2016-9962", "the same, in a user namespace",
     exec_in_user_namespace_is_traced},
    {"join-traced", "crun 1.31", "the same, of a container that joins its PID namespace",
     create_is_traced,
     "its /proc has to be mounted from inside the PID namespace, with the "
     "host's rights: whoever "
     "has "
     "CAP_SYS_PTRACE there is trusted"},
    {"exe", "CVE-2019-5736", "a container overwrites the runtime's executable",
     executable_is_overwritten},
    {"cwd-fd", "CVE-2024-21626", "the working directory is /proc/self/fd/N",
     working_directory_is_descriptor},
    {"exec-cwd-fd", "CVE-2024-21626", "the same of exec", exec_directory_is_descriptor},
    {"caller-fds", "", "a caller's directory is left open", callers_descriptors_stay_out},
    {"own-fds", "CVE-2024-21626", "the runtime's descriptors reach the program",
     no_descriptor_of_its_own},
};

}  // namespace

std::span<const Attack> descriptor_attacks() { return kAttacks; }

}  // namespace hull::conformance
