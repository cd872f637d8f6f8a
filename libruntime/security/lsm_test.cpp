#include "libruntime/security/lsm.h"

#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>

#include "libruntime/system/catch.h"
#include "libruntime/system/error.h"
#include "libruntime/system/files.h"

namespace hull::security {
namespace {

// A directory that looks like /sys.
class FakeSys {
 public:
  FakeSys() { REQUIRE(mkdtemp(path_) != nullptr); }
  ~FakeSys() {
    const std::string root = path_;
    unlink((root + kEnabled).c_str());
    for (const char* dir : {"/module/apparmor/parameters", "/module/apparmor", "/module",
                            "/kernel/security/apparmor", "/kernel/security", "/kernel", ""})
      rmdir((root + dir).c_str());
  }
  FakeSys(const FakeSys&) = delete;
  FakeSys& operator=(const FakeSys&) = delete;

  void set_enabled(const char* text) const {
    make_directories(std::string(path_) + "/module/apparmor/parameters", 0755);
    replace_file(std::string(path_) + kEnabled, text, 0644);
  }
  void make_security_directory() const {
    make_directories(std::string(path_) + "/kernel/security/apparmor", 0755);
  }
  [[nodiscard]] std::string path() const { return path_; }

 private:
  static constexpr const char* kEnabled = "/module/apparmor/parameters/enabled";
  char path_[32] = "/tmp/hull-sys-XXXXXX";
};

}  // namespace

TEST_CASE("AppArmor is enabled when its module says Y and its directory can be seen") {
  const FakeSys sys;
  CHECK_FALSE(apparmor_enabled(sys.path()));
  sys.set_enabled("Y\n");
  CHECK_FALSE(apparmor_enabled(sys.path()));
  sys.make_security_directory();
  CHECK(apparmor_enabled(sys.path()));
  sys.set_enabled("N\n");
  CHECK_FALSE(apparmor_enabled(sys.path()));
}

TEST_CASE("Without AppArmor a profile is an error, no profile and unconfined are not", "[L70]") {
  if (apparmor_enabled()) HULL_SKIP("this kernel has AppArmor");
  CHECK(resolve_apparmor_profile("").empty());
  CHECK(resolve_apparmor_profile("unconfined").empty());
  try {
    (void)resolve_apparmor_profile("docker-default");  // only the error counts
    FAIL("no error");
  } catch (const Error& e) {
    CHECK(e.message() == "apparmor profile given, but the kernel has no AppArmor");
    CHECK(e.field() == "/process/apparmorProfile");
  }
}

TEST_CASE("With AppArmor every profile is to be written") {
  if (!apparmor_enabled()) HULL_SKIP("this kernel has no AppArmor");
  CHECK(resolve_apparmor_profile("docker-default") == "docker-default");
  CHECK(resolve_apparmor_profile("unconfined") == "unconfined");
  try {
    set_apparmor_profile(ProcFs::open(false), "hull-no-such-profile");
    FAIL("no error");
  } catch (const Error& e) {
    CHECK(e.code() == ENOENT);
    CHECK(e.hint() == "is the profile loaded? see apparmor_parser(8)");
  }
}

TEST_CASE("Without SELinux a label is an error, no label is not", "[L82]") {
  if (selinux_enabled()) HULL_SKIP("this kernel has SELinux");
  CHECK(resolve_selinux_label("", "/process/selinuxLabel").empty());
  for (const char* field : {"/process/selinuxLabel", "/linux/mountLabel"}) {
    try {
      (void)resolve_selinux_label("system_u:system_r:container_t:s0", field);  // as above
      FAIL("no error");
    } catch (const Error& e) {
      CHECK(e.message() == "SELinux label given, but the kernel has no SELinux");
      CHECK(e.field() == field);
    }
  }
}

TEST_CASE("Empty profiles and labels write nothing, others name their field when they fail") {
  const ProcFs proc = ProcFs::open(false);
  CHECK_NOTHROW(set_apparmor_profile(proc, ""));
  CHECK_NOTHROW(set_selinux_exec_label(proc, ""));
  CHECK_NOTHROW(set_selinux_key_label(proc, ""));
  if (apparmor_enabled() || selinux_enabled()) HULL_SKIP("this kernel has a security module");
  const auto field_of = [](auto&& call) -> std::string {
    try {
      call();
    } catch (const Error& e) {
      return e.field();
    }
    return "no error";
  };
  CHECK(field_of([&] { set_apparmor_profile(proc, "x"); }) == "/process/apparmorProfile");
  CHECK(field_of([&] { set_selinux_exec_label(proc, "x"); }) == "/process/selinuxLabel");
  CHECK(field_of([&] { set_selinux_key_label(proc, "x"); }) == "/process/selinuxLabel");
}

}  // namespace hull::security
