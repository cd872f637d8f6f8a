#include "libruntime/security/capabilities.h"

#include <sys/capability.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>

#include "libruntime/system/catch.h"
#include "libruntime/system/error.h"
#include "libruntime/system/log.h"

namespace hull::security {
namespace {

std::string warnings;

// Collects warnings for as long as it lives.
class Warnings {
 public:
  Warnings() {
    warnings.clear();
    log::set_sink([](log::Level level, std::string_view message) {
      if (level == log::Level::warning) warnings.append(message).append("\n");
    });
  }
  ~Warnings() { log::set_sink(nullptr); }
  Warnings(const Warnings&) = delete;
  Warnings& operator=(const Warnings&) = delete;
};

constexpr uint64_t bit(unsigned capability) { return uint64_t{1} << capability; }

uint64_t bounding_set() {
  uint64_t mask = 0;
  for (unsigned i = 0; i < 64; ++i)
    if (cap_get_bound(static_cast<cap_value_t>(i)) == 1) mask |= bit(i);
  return mask;
}

// What libcap says of this process.
configs::CapabilityMasks read_back() {
  configs::CapabilityMasks masks;
  masks.bounding = bounding_set();
  cap_t caps = cap_get_proc();
  for (cap_value_t i = 0; i < cap_max_bits(); ++i) {
    const auto has = [&](cap_flag_t set) {
      cap_flag_value_t value = CAP_CLEAR;
      return cap_get_flag(caps, i, set, &value) == 0 && value == CAP_SET
                 ? bit(static_cast<unsigned>(i))
                 : 0;
    };
    masks.effective |= has(CAP_EFFECTIVE);
    masks.permitted |= has(CAP_PERMITTED);
    masks.inheritable |= has(CAP_INHERITABLE);
    if (cap_get_ambient(i) == 1) masks.ambient |= bit(static_cast<unsigned>(i));
  }
  cap_free(caps);
  return masks;
}

template <class Body>
int in_child(Body body) {
  const pid_t pid = fork();
  if (pid == 0) {
    int code = 98;
    try {
      code = body();
    } catch (const std::exception& e) {
      std::fprintf(stderr, "child: %s\n", e.what());
    }
    _exit(code);
  }
  int status = 0;
  REQUIRE(waitpid(pid, &status, 0) == pid);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

bool same(const configs::CapabilityMasks& a, const configs::CapabilityMasks& b) {
  return a.bounding == b.bounding && a.effective == b.effective && a.inheritable == b.inheritable &&
         a.permitted == b.permitted && a.ambient == b.ambient;
}

// A configuration with these in the bounding and the permitted set.
configs::Capabilities permitted(const std::vector<std::string>& names) {
  configs::Capabilities out;
  out.bounding = out.permitted = names;
  return out;
}

constexpr uint64_t kChown = bit(CAP_CHOWN), kKill = bit(CAP_KILL), kNetRaw = bit(CAP_NET_RAW);

}  // namespace

TEST_CASE("The table of capabilities is libcap's") {
  const auto names = capability_names();
  for (unsigned i = 0; i < names.size(); ++i) {
    char* name = cap_to_name(static_cast<cap_value_t>(i));
    REQUIRE(name != nullptr);
    std::string upper = name;
    cap_free(name);
    for (char& c : upper) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
    CHECK(names[i] == upper);
  }
}

TEST_CASE("The last capability is the kernel's") {
  CHECK(last_capability() == static_cast<unsigned>(cap_max_bits()) - 1);
}

TEST_CASE("Names become bits in any case, unknown ones are told once") {
  std::vector<std::string> unknown;
  CHECK(capability_mask({"CAP_CHOWN", "cap_kill", "Cap_Checkpoint_Restore"}, unknown) ==
        (kChown | kKill | bit(40)));
  CHECK(unknown.empty());
  CHECK(capability_mask({"CAP_NOPE", "CHOWN", "CAP_NOPE", "", "CAP_CHOWNS"}, unknown) == 0);
  CHECK(unknown == std::vector<std::string>{"CAP_NOPE", "CHOWN", "", "CAP_CHOWNS"});
}

TEST_CASE("What cannot be granted is left out with a warning") {
  if (geteuid() != 0) HULL_SKIP("needs root");
  SECTION("a name that nobody knows") {
    const Warnings scope;
    const auto masks = to_masks(permitted({"CAP_CHOWN", "CAP_NOPE"}));
    CHECK(masks.bounding == kChown);
    CHECK(masks.permitted == kChown);
    CHECK(warnings == "ignoring unknown or unavailable capabilities: [CAP_NOPE]\n");
  }
  SECTION("sets that capset refuses") {
    const Warnings scope;
    const auto masks = to_masks({.bounding = {"CAP_CHOWN"},
                                 .effective = {"CAP_CHOWN", "CAP_KILL"},
                                 .inheritable = {"CAP_CHOWN", "CAP_KILL"},
                                 .permitted = {"CAP_CHOWN"},
                                 .ambient = {"CAP_CHOWN", "CAP_KILL"}});
    CHECK(masks.effective == kChown);
    CHECK(masks.inheritable == kChown);
    CHECK(masks.ambient == kChown);
    CHECK(warnings ==
          "ignoring effective capabilities that are not permitted: [CAP_KILL]\n"
          "ignoring inheritable capabilities that are not in the bounding set: [CAP_KILL]\n"
          "ignoring ambient capabilities that are not both permitted and inheritable: "
          "[CAP_KILL]\n");
  }
  SECTION("what this process does not hold, unless there is a user namespace") {
    const int code = in_child([] {
      const Warnings scope;
      apply({.effective = kChown, .permitted = kChown});
      const configs::Capabilities wanted = permitted({"CAP_CHOWN", "CAP_KILL"});
      if (to_masks(wanted, true).permitted != (kChown | kKill) || !warnings.empty()) return 1;
      const auto masks = to_masks(wanted);
      if (masks.permitted != kChown || masks.bounding != kChown) return 2;
      return warnings == "ignoring capabilities that hull itself does not hold: [CAP_KILL]\n" ? 0
                                                                                              : 3;
    });
    CHECK(code == 0);
  }
}

TEST_CASE("All sets are what was asked for", "[L85]") {
  if (geteuid() != 0) HULL_SKIP("needs root");
  const configs::CapabilityMasks masks{.bounding = kChown | kKill | kNetRaw,
                                       .effective = kChown,
                                       .inheritable = kKill | kNetRaw,
                                       .permitted = kChown | kKill,
                                       .ambient = kKill};
  CHECK(in_child([&] {
          drop_bounding(masks);
          apply(masks);
          return same(read_back(), masks) ? 0 : 1;
        }) == 0);
}

TEST_CASE("Applying a smaller set takes ambient capabilities away") {
  if (geteuid() != 0) HULL_SKIP("needs root");
  CHECK(in_child([] {
          const uint64_t both = kChown | kKill;
          apply({.effective = both, .inheritable = both, .permitted = both, .ambient = both});
          apply({.effective = both, .inheritable = both, .permitted = both, .ambient = kKill});
          if (read_back().ambient != kKill) return 1;
          apply({.effective = both, .permitted = both});
          return read_back().ambient == 0 && read_back().inheritable == 0 ? 0 : 2;
        }) == 0);
}

TEST_CASE("Capabilities outlive a change of user when asked to") {
  if (geteuid() != 0) HULL_SKIP("needs root");
  for (const bool keep : {true, false}) {
    CHECK(in_child([&] {
            keep_over_setuid(keep);
            if (setresuid(1000, 1000, 1000) != 0) return 1;
            if ((read_back().permitted != 0) != keep) return 2;
            if (!keep) return 0;
            apply({.effective = kChown, .permitted = kChown});
            const auto now = read_back();
            return now.effective == kChown && now.permitted == kChown ? 0 : 3;
          }) == 0);
  }
}

TEST_CASE("Capabilities that turn out not to be held are left out with a warning") {
  if (geteuid() != 0) HULL_SKIP("needs root");
  CHECK(in_child([] {
          const Warnings scope;
          apply({.effective = kChown, .inheritable = kChown, .permitted = kChown});
          const uint64_t both = kChown | kKill;
          apply({.effective = both, .inheritable = both, .permitted = both, .ambient = both});
          const auto now = read_back();
          if (now.permitted != kChown || now.effective != kChown || now.ambient != kChown) return 1;
          if (now.inheritable != kChown) return 2;
          return warnings.find("permitted capabilities that hull does not hold: [CAP_KILL]") !=
                         std::string::npos
                     ? 0
                     : 3;
        }) == 0);
}

TEST_CASE("The bounding set cannot be dropped without CAP_SETPCAP, and that is an error") {
  if (geteuid() != 0) HULL_SKIP("needs root");
  CHECK(in_child([] {
          apply({.effective = kChown, .permitted = kChown});
          try {
            drop_bounding({.bounding = kChown});
          } catch (const Error& e) {
            return e.field() == "/process/capabilities/bounding" ? 0 : 1;
          }
          return 2;
        }) == 0);
  CHECK(in_child([] {
          drop_bounding({.bounding = kChown});
          apply({.effective = kChown, .permitted = kChown});
          drop_bounding({.bounding = kChown});  // nothing left to drop
          return read_back().bounding == kChown ? 0 : 1;
        }) == 0);
}

}  // namespace hull::security
