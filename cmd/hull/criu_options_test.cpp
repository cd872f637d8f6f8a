#include "cmd/hull/criu_options.h"

#include <unistd.h>

#include "cmd/hull/command.h"
#include "libruntime/system/catch.h"
#include "libruntime/system/error.h"

namespace hull::cmd {
namespace {

CriuOptions options_of(const Command& command, std::vector<std::string> words) {
  std::vector<char*> pointers;
  for (std::string& word : words) pointers.push_back(word.data());
  return criu_options(Options::parse(command.options, pointers, command.positionals));
}

std::string refusal_of(std::vector<std::string> words) {
  try {
    (void)options_of(checkpoint_command, std::move(words));
  } catch (const Error& error) {
    return error.what();
  }
  return "none";
}

TEST_CASE("checkpoint's flags become CRIU's options", "[G]") {
  const CriuOptions plain = options_of(checkpoint_command, {"id"});
  char here[4096];
  REQUIRE(getcwd(here, sizeof here) != nullptr);
  CHECK(plain.images_directory == std::string(here) + "/checkpoint");
  CHECK(plain.work_directory.empty());
  CHECK(plain.cgroups_mode == CgroupsMode::by_default);
  CHECK(plain.empty_network);
  CHECK(plain.status_fd == -1);
  CHECK_FALSE((plain.leave_running || plain.pre_dump || plain.tcp_established ||
               plain.tcp_skip_in_flight || plain.link_remap || plain.external_unix_sockets ||
               plain.shell_job || plain.file_locks || plain.auto_dedup || plain.lazy_pages));

  const CriuOptions all = options_of(checkpoint_command, {"--image-path",
                                                          "/i",
                                                          "--work-path",
                                                          "/w",
                                                          "--leave-running",
                                                          "--tcp-established",
                                                          "--tcp-skip-in-flight",
                                                          "--link-remap",
                                                          "--ext-unix-sk",
                                                          "--shell-job",
                                                          "--lazy-pages",
                                                          "--status-fd",
                                                          "7",
                                                          "--page-server",
                                                          "[::1]:27",
                                                          "--file-locks",
                                                          "--pre-dump",
                                                          "--manage-cgroups-mode",
                                                          "strict",
                                                          "--network-lock",
                                                          "nftables",
                                                          "--empty-ns",
                                                          "network",
                                                          "--auto-dedup",
                                                          "id"});
  CHECK(all.images_directory == "/i");
  CHECK(all.work_directory == "/w");
  CHECK((all.leave_running && all.pre_dump && all.tcp_established && all.tcp_skip_in_flight &&
         all.link_remap && all.external_unix_sockets && all.shell_job && all.file_locks &&
         all.auto_dedup && all.lazy_pages));
  CHECK(all.status_fd == 7);
  CHECK(all.page_server == "::1");
  CHECK(all.page_server_port == 27);
  CHECK(all.cgroups_mode == CgroupsMode::strict);
  CHECK(all.network_lock == NetworkLock::nftables);
}

TEST_CASE("restore's flags become CRIU's options", "[G]") {
  const CriuOptions all = options_of(
      restore_command,
      {"--image-path", "/i", "--tcp-close", "--lsm-profile", "apparmor:p", "--lsm-mount-context",
       "c", "--manage-cgroups-mode=ignore", "--lazy-pages", "--auto-dedup", "id"});
  CHECK((all.tcp_close && all.lazy_pages && all.auto_dedup));
  CHECK(all.lsm_profile == "apparmor:p");
  CHECK(all.lsm_mount_context == "c");
  CHECK(all.cgroups_mode == CgroupsMode::ignore);
}

TEST_CASE("what CRIU can't be told is refused in runc's words", "[G]") {
  CHECK(refusal_of({"--manage-cgroups-mode", "hard"})
            .starts_with("Invalid manage-cgroups-mode value"));
  CHECK(refusal_of({"--page-server", "1234"}) ==
        "Use --page-server ADDRESS:PORT to specify page server");
  CHECK(refusal_of({"--page-server", "host:"}) ==
        "Use --page-server ADDRESS:PORT to specify page server");
  CHECK(refusal_of({"--page-server", "host:x"}) == "Invalid port number");
  CHECK(refusal_of({"--page-server", "host:70000"}) == "Invalid port number");
  CHECK(refusal_of({"--empty-ns", "pid"}) == "namespace \"pid\" is not supported");
  CHECK(refusal_of({"--parent-path", "/abs"}) == "--parent-path must be relative");
  CHECK(refusal_of({"--image-path", "/i", "--parent-path", "../absent-x"}) ==
        "invalid --parent-path: stat /absent-x: no such file or directory");
  CHECK(refusal_of({"--image-path", "/etc", "--parent-path", "passwd"}) ==
        "invalid --parent-path: stat /etc/passwd: not a directory");
}

}  // namespace
}  // namespace hull::cmd
