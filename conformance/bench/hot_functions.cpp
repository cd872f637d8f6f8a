// hull-hot-functions HULL BUNDLE: the functions that hull's hot paths run, in the order of their
// first use, for the linker (cmd/hull/hot-functions.txt). What lies side by side in the file is
// mapped by few page faults: the kernel maps 64 KiB around each (fault-around), and the waiting
// hull-init counts them all. It steps through each command one instruction at a time (ptrace(2)),
// which takes minutes.

#include <sys/ptrace.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>
#include <set>
#include <string>
#include <unordered_set>
#include <vector>

namespace {

using Address = unsigned long;

// The order in which addresses were first seen; those of hull-init come first.
struct Trace {
  std::vector<Address> init, launcher;
  std::unordered_set<Address> seen_in_init, seen_in_launcher;

  void add(Address address, bool in_init) {
    if ((in_init ? seen_in_init : seen_in_launcher).insert(address).second)
      (in_init ? init : launcher).push_back(address);
  }
};

[[noreturn]] void fail(const char* what) {
  std::perror(what);
  std::exit(1);
}

pid_t start_traced(const std::vector<std::string>& words) {
  std::vector<char*> argv;
  for (const std::string& word : words) argv.push_back(const_cast<char*>(word.c_str()));
  argv.push_back(nullptr);
  const pid_t pid = fork();
  if (pid < 0) fail("fork");
  if (pid == 0) {
    ptrace(PTRACE_TRACEME, 0, nullptr, nullptr);
    if (std::freopen("/dev/null", "w", stdout) == nullptr) _exit(126);
    raise(SIGSTOP);
    execv(argv[0], argv.data());
    _exit(127);
  }
  int status = 0;
  if (waitpid(pid, &status, 0) != pid || !WIFSTOPPED(status)) fail("waitpid");
  ptrace(PTRACE_SETOPTIONS, pid, nullptr,
         PTRACE_O_TRACECLONE | PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK | PTRACE_O_TRACEEXEC);
  return pid;
}

enum class Image { launcher, clone_of_launcher, init };

void let_go(pid_t pid) {
  int status = 0;
  kill(pid, SIGSTOP);
  if (waitpid(pid, &status, __WALL) == pid && WIFSTOPPED(status)) {
    ptrace(PTRACE_DETACH, pid, nullptr, nullptr);
    kill(pid, SIGCONT);
  }
}

// Steps through the command and the hull-init that it makes, until the command has ended; a
// hull-init that waits goes on by itself.
void trace(const std::vector<std::string>& words, Trace& trace) {
  const pid_t command = start_traced(words);
  std::map<pid_t, Image> images{{command, Image::launcher}};
  bool started = false;
  ptrace(PTRACE_SINGLESTEP, command, nullptr, nullptr);
  while (images.contains(command)) {
    int status = 0;
    const pid_t pid = waitpid(-1, &status, __WALL);
    if (pid < 0) fail("waitpid");
    if (!WIFSTOPPED(status)) {
      images.erase(pid);
      continue;
    }
    const auto [image, is_new] = images.try_emplace(pid, Image::clone_of_launcher);
    const int event = status >> 16;
    const int signal = WSTOPSIG(status);
    if (event == PTRACE_EVENT_EXEC) {
      if (pid == command && !started) {
        started = true;
      } else if (image->second == Image::clone_of_launcher) {
        image->second = Image::init;
      } else {  // the container's program
        ptrace(PTRACE_DETACH, pid, nullptr, nullptr);
        images.erase(image);
        continue;
      }
    } else if (event == 0 && signal == SIGTRAP) {
      user_regs_struct registers{};
      ptrace(PTRACE_GETREGS, pid, nullptr, &registers);
      trace.add(registers.rip, image->second == Image::init);
    }
    const int passed_on = signal == SIGTRAP || signal == SIGSTOP ? 0 : signal;
    ptrace(PTRACE_SINGLESTEP, pid, nullptr, reinterpret_cast<void*>(static_cast<long>(passed_on)));
  }
  for (const auto& [pid, image] : images) let_go(pid);
}

// Every name of every function, by address.
std::map<Address, std::vector<std::string>> symbols(const std::string& executable) {
  std::map<Address, std::vector<std::string>> out;
  FILE* nm = popen(("nm --defined-only " + executable).c_str(), "r");
  if (nm == nullptr) fail("nm");
  char line[65536];
  while (std::fgets(line, sizeof line, nm) != nullptr) {
    line[std::strcspn(line, "\n")] = 0;
    char* rest = nullptr;
    const Address address = std::strtoul(line, &rest, 16);
    if (std::strlen(rest) < 4 || std::strchr("tTwWiI", rest[1]) == nullptr) continue;
    out[address].emplace_back(rest + 3);
  }
  if (pclose(nm) != 0) fail("nm");
  return out;
}

void print(const std::vector<Address>& addresses,
           const std::map<Address, std::vector<std::string>>& functions,
           std::set<Address>& printed) {
  for (const Address address : addresses) {
    auto next = functions.upper_bound(address);
    if (next == functions.begin() || next == functions.end()) continue;
    const auto& [start, names] = *std::prev(next);
    if (!printed.insert(start).second) continue;
    for (const std::string& name : names) std::puts(name.c_str());
  }
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) {
    std::fputs("usage: hull-hot-functions HULL BUNDLE (one whose program waits)\n", stderr);
    return 2;
  }
  char root[] = "/tmp/hull-hot-functions.XXXXXX";
  if (mkdtemp(root) == nullptr) fail("mkdtemp");
  const std::string hull = argv[1], bundle = argv[2];
  Trace all;
  const auto hull_does = [&](std::vector<std::string> words) {
    words.insert(words.begin(), {hull, "--root", root});
    trace(words, all);
  };
  hull_does({"create", "--bundle", bundle, "hot"});
  hull_does({"start", "hot"});
  hull_does({"state", "hot"});
  hull_does({"exec", "hot", "/bin/true"});
  hull_does({"kill", "hot", "KILL"});
  hull_does({"delete", "--force", "hot"});
  hull_does({"run", "--detach", "--bundle", bundle, "hot"});
  hull_does({"delete", "--force", "hot"});
  rmdir(root);

  const auto functions = symbols(hull);
  std::set<Address> printed;
  print(all.init, functions, printed);
  print(all.launcher, functions, printed);
  return 0;
}
