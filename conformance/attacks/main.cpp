// hull-attacks [OPTIONS] [NAME=]RUNTIME...: what is known to have broken
// container runtimes, played with each.
#include <poll.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <regex>
#include <vector>

#include "conformance/attacks/box.h"
#include "conformance/suite/workers.h"
#include "libruntime/system/command.h"
#include "libruntime/system/error.h"
#include "libruntime/system/files.h"
#include "libruntime/system/text.h"

namespace hull::conformance {
namespace {

constexpr char kUsage[] =
    "usage: hull-attacks [options] [NAME=]RUNTIME...\n"
    "  --rounds N        rounds of a race (default 500)\n"
    "  --only REGEX      only attacks whose name matches\n"
    "  --attacker PATH   the program for inside (default: hull-attacker beside "
    "this one)\n"
    "  --markdown FILE   the table\n"
    "  --pure-v1         without the cgroup v2 hierarchy of a hybrid host\n"
    "  --list            prints the attacks and ends\n"
    "exit status 1 when the first runtime is vulnerable, or an attack could "
    "not be shown with it\n";

// An attack that takes longer hangs.
constexpr unsigned kSecondsAnAttack = 900;

// Advisories whose attack is not played, and why.
struct Unplayed {
  const char *advisories;
  const char *why;
};
constexpr Unplayed kUnplayed[] = {
    {"CVE-2025-52565",
     "/dev/pts is exchanged: needs a container with the "
     "right to mount; the terminal "
     "is bound by descriptor (`race-` attacks of /dev)"},
    {"CVE-2026-119101, CVE-2026-115520", "checkpoint with CRIU: needs criu"},
    {"runc 1.5.3", "read-only binds while CRIU restores: needs criu"},
    {"CVE-2026-119614", "CRIU's own images"},
    {"CVE-2026-84042", "krun's passt: a handler that only crun has"},
    {"Apptainer CVE-2025-65105, CVE-2025-64750", "labels: needs AppArmor or SELinux"},
};

struct Options {
  int rounds = 500;
  std::string only, markdown, attacker;
  bool pure_v1 = false, list = false;
  std::vector<std::string> runtimes;
};

std::optional<Options> parse(const std::vector<std::string> &words) {
  Options out;
  out.attacker = beside_this_program("hull-attacker");
  for (size_t i = 0; i < words.size(); ++i) {
    const std::string &word = words[i];
    const bool last = i + 1 == words.size();
    if (word == "--pure-v1") {
      out.pure_v1 = true;
    } else if (word == "--list") {
      out.list = true;
    } else if (!word.starts_with("--")) {
      out.runtimes.push_back(word);
    } else if (last) {
      return std::nullopt;
    } else if (word == "--rounds") {
      out.rounds = parse_number<int>(words[++i]).value_or(0);
    } else if (word == "--only") {
      out.only = words[++i];
    } else if (word == "--markdown") {
      out.markdown = words[++i];
    } else if (word == "--attacker") {
      out.attacker = words[++i];
    } else {
      return std::nullopt;
    }
  }
  if (out.rounds <= 0 || (out.runtimes.empty() && !out.list)) return std::nullopt;
  return out;
}

std::vector<Attack> attacks(const std::string &only) {
  const std::regex wanted(only.empty() ? "" : only);
  std::vector<Attack> out;
  for (const auto list : {link_attacks(), procfs_attacks(), race_attacks(), descriptor_attacks(),
                          identity_attacks(), input_attacks()})
    for (const Attack &one : list)
      if (only.empty() || std::regex_search(one.id, wanted)) out.push_back(one);
  return out;
}

// Some runtimes give the caller's /dev/null away: not the host's.
std::string null_node(pid_t worker) { return "/tmp/hull-attacks-null-" + std::to_string(worker); }

void cover_null_device() {
  const std::string node = null_node(getpid());
  if (mknod(node.c_str(), S_IFCHR | 0666, makedev(1, 3)) != 0 || chmod(node.c_str(), 0666) != 0)
    throw Error("making a device", "mknod", errno);
  if (mount(node.c_str(), "/dev/null", nullptr, MS_BIND, nullptr) != 0)
    throw Error("covering /dev/null", "mount", errno);
}

Finding play(const Attack &attack, const Arena &arena) {
  try {
    attack.play(arena);
    return {Verdict::safe, ""};
  } catch (const Breach &breach) {
    return {Verdict::vulnerable, breach.what};
  } catch (const NotApplicable &reason) {
    return {Verdict::not_applicable, reason.why};
  } catch (const std::exception &error) {
    return {Verdict::unclear, error.what()};
  }
}

// In a process of its own, the subreaper of its containers, with mounts of its
// own.
Finding play_apart(const Attack &attack, const Arena &arena, bool pure_v1) {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) throw Error("making a pipe", "pipe2", errno);
  const Fd from(ends[0]);
  Fd to(ends[1]);
  std::fflush(stdout);
  const pid_t pid = fork();
  if (pid < 0) throw Error("starting a worker", "fork", errno);
  if (pid == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    alarm(kSecondsAnAttack);
    Finding finding;
    try {
      enter_own_mounts(pure_v1);
      cover_null_device();
      finding = play(attack, arena);
    } catch (const std::exception &error) {
      finding = {Verdict::unclear, error.what()};
    }
    write_all(to.get(), std::to_string(static_cast<int>(finding.verdict)) + finding.why, "result");
    _exit(0);
  }
  to.reset();
  const std::string text = read_all(from.get(), "result", size_t{1} << 20);
  wait_for(pid);
  unlink(null_node(pid).c_str());
  if (text.empty()) return {Verdict::vulnerable, "no end within the time"};
  return {static_cast<Verdict>(text[0] - '0'), text.substr(1)};
}

std::string one_line(std::string text, size_t limit) {
  for (char &c : text)
    if (c == '\n' || c == '|') c = ' ';
  return text.size() > limit ? text.substr(0, limit) + "…" : text;
}

std::string markdown(const std::vector<Attack> &list, const std::vector<Runtime> &runtimes,
                     const std::vector<std::vector<Finding>> &findings) {
  std::string out = "| attack | advisories | what |";
  std::string line = "|---|---|---|";
  for (const Runtime &runtime : runtimes) {
    out += " " + (runtime.version.empty() ? runtime.name : runtime.version) + " |";
    line += "---|";
  }
  out += "\n" + line + "\n";
  for (size_t i = 0; i < list.size(); ++i) {
    out +=
        std::string("| ") + list[i].id + " | " + list[i].advisories + " | " + list[i].what + " |";
    for (const auto &column : findings)
      out += std::string(" ") + kVerdicts[static_cast<size_t>(column[i].verdict)].cell + " |";
    out += "\n";
  }
  for (const Attack &one : list)
    if (*one.limit != '\0') out += std::string("\n") + one.id + ": " + one.limit + ".\n";
  out += "\nNot played:\n";
  for (const Unplayed &one : kUnplayed)
    out += std::string("* ") + one.advisories + ": " + one.why + "\n";
  return out;
}

int main_of(const std::vector<std::string> &words) {
  const auto options = parse(words);
  if (!options) {
    std::fputs(kUsage, stderr);
    return 2;
  }
  const std::vector<Attack> list = attacks(options->only);
  if (options->list)
    for (const Attack &one : list) std::printf("%s (%s): %s\n", one.id, one.advisories, one.what);
  std::vector<Runtime> runtimes;
  std::vector<std::vector<Finding>> findings;
  int bad = 0;
  for (const std::string &word : options->runtimes) {
    const Arena arena{runtime_of(word), options->attacker, options->rounds};
    int counts[std::size(kVerdicts)] = {};
    int known = 0;
    auto &column = findings.emplace_back();
    for (const Attack &one : list) {
      const Finding &finding = column.emplace_back(play_apart(one, arena, options->pure_v1));
      const auto verdict = static_cast<size_t>(finding.verdict);
      if (finding.verdict == Verdict::vulnerable && *one.limit != '\0')
        ++known;
      else
        ++counts[verdict];
      std::printf("%s: %-20s %s%s%s\n", arena.runtime.name.c_str(), one.id, kVerdicts[verdict].text,
                  finding.why.empty() ? "" : ": ", one_line(finding.why, 300).c_str());
      std::fflush(stdout);
    }
    if (runtimes.empty()) bad = counts[1] + counts[3];
    runtimes.push_back(arena.runtime);
    std::printf(
        "%s: %d safe, %d vulnerable by a known limit, %d vulnerable, "
        "%d not applicable, "
        "%d unclear\n",
        arena.runtime.name.c_str(), counts[0], known, counts[1], counts[2], counts[3]);
  }
  if (!options->markdown.empty()) write_file(options->markdown, markdown(list, runtimes, findings));
  return bad == 0 ? 0 : 1;
}

}  // namespace
}  // namespace hull::conformance

int main(int argc, char **argv) {
  try {
    return hull::conformance::main_of({argv + 1, argv + argc});
  } catch (const std::exception &error) {
    std::fprintf(stderr, "hull-attacks: %s\n", error.what());
    return 2;
  }
}
