#include "cmd/hull/exec_process.h"

#include "libruntime/system/catch.h"
#include "libruntime/system/error.h"

namespace hull::cmd {
namespace {

using Names = std::vector<std::string>;

specconv::Process config_process() {
  specconv::Process out;
  out.terminal = true;
  out.uid = 5;
  out.gid = 6;
  out.additional_gids = {7};
  out.env = {"PATH=/bin"};
  out.cwd = "/";
  out.no_new_privileges = true;
  out.apparmor_profile = "profile";
  out.capabilities.emplace().bounding = {"CAP_KILL"};
  return out;
}

specconv::Process merged(std::vector<std::string> words,
                         const std::optional<configs::Capabilities>& container = {},
                         specconv::Process process = config_process()) {
  std::vector<char*> pointers;
  for (std::string& word : words) pointers.push_back(word.data());
  apply_options(Options::parse(kExecOptions, pointers, Positionals::end_options), container,
                process);
  return process;
}

}  // namespace

TEST_CASE("exec without options keeps the process of config.json but for its terminal") {
  const specconv::Process process = merged({"ID", "ls"});
  CHECK_FALSE(process.terminal);
  CHECK(process.uid == 5);
  CHECK(process.gid == 6);
  CHECK(process.env == Names{"PATH=/bin"});
  CHECK(process.cwd == "/");
  CHECK(process.no_new_privileges);
  CHECK(process.apparmor_profile == "profile");
  CHECK(process.capabilities->effective.empty());
}

TEST_CASE("exec's options replace what they name and add to lists") {
  const specconv::Process process =
      merged({"-t", "--cwd", "/tmp", "-e", "A=1", "--env", "B=x,y", "-u", "10:11", "-g", "12", "-g",
              "13", "--apparmor=other", "--process-label", "label", "--no-new-privs=false", "ID"});
  CHECK(process.terminal);
  CHECK(process.cwd == "/tmp");
  CHECK(process.env == Names{"PATH=/bin", "A=1", "B=x,y"});
  CHECK(process.uid == 10);
  CHECK(process.gid == 11);
  CHECK(process.additional_gids == std::vector<uint32_t>{7, 12, 13});
  CHECK(process.apparmor_profile == "other");
  CHECK(process.selinux_label == "label");
  CHECK_FALSE(process.no_new_privileges);
}

TEST_CASE("exec --user with a uid alone keeps the gid of config.json") {
  const specconv::Process process = merged({"--user=1", "ID"});
  CHECK(process.uid == 1);
  CHECK(process.gid == 6);
}

TEST_CASE("a user is made of numbers to the last character") {
  CHECK(parse_user("1").uid == 1);
  CHECK_FALSE(parse_user("1").gid);
  CHECK(parse_user("4294967294:0").gid == 0);
  for (const char* bad : {"", "1x", "x", " 1", "1 ", "+1", "-1", "0x1", "1:", ":1", "1:2:3", "1:x",
                          "4294967295", "4294967296", "18446744073709551617", "root"}) {
    INFO(bad);
    CHECK_THROWS_AS(parse_user(bad), Error);
  }
}

TEST_CASE("an additional gid is a number") {
  CHECK_THROWS_AS(merged({"-g", "-5", "ID"}), Error);
  CHECK_THROWS_AS(merged({"-g", "5,6", "ID"}), Error);
}

TEST_CASE("exec --cap adds to bounding, effective and permitted, never to inheritable") {
  const specconv::Process process = merged({"--cap", "CAP_SYS_ADMIN", "-c", "CAP_KILL", "ID"});
  const configs::Capabilities& capabilities = *process.capabilities;
  CHECK(capabilities.bounding == Names{"CAP_KILL", "CAP_SYS_ADMIN"});
  CHECK(capabilities.effective == Names{"CAP_SYS_ADMIN", "CAP_KILL"});
  CHECK(capabilities.permitted == Names{"CAP_SYS_ADMIN", "CAP_KILL"});
  CHECK(capabilities.inheritable.empty());
  CHECK(capabilities.ambient.empty());
}

TEST_CASE("exec --cap reaches ambient only where the container has it inheritable") {
  specconv::Process process = config_process();
  process.capabilities->inheritable = {"CAP_NET_RAW"};
  process = merged({"-c", "CAP_NET_RAW", "-c", "CAP_SYS_ADMIN", "ID"}, {}, process);
  CHECK(process.capabilities->ambient == Names{"CAP_NET_RAW"});
}

TEST_CASE("exec --cap starts from the container's capabilities when the process names none") {
  specconv::Process process = config_process();
  process.capabilities.reset();
  configs::Capabilities container;
  container.bounding = {"CAP_CHOWN"};
  process = merged({"-c", "CAP_KILL", "ID"}, container, process);
  CHECK(process.capabilities->bounding == Names{"CAP_CHOWN", "CAP_KILL"});
}

}  // namespace hull::cmd
