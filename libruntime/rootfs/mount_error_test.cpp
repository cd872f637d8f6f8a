#include "libruntime/rootfs/mount_error.h"

#include <cerrno>
#include <string>

#include "libruntime/system/catch.h"
#include "libruntime/system/syscalls.h"

namespace hull::rootfs {
namespace {

configs::Mount mount_of(const std::string& type, uint64_t flags, const std::string& data = "") {
  configs::Mount mount;
  mount.source = "/src";
  mount.destination = "/dst";
  mount.type = type;
  mount.flags = flags;
  mount.data = data;
  return mount;
}

std::string text_of(const configs::Mount& mount, int code, const MountFacts& facts) {
  return explain_mount(mount, "/mounts/3", Error("cause", "mount", code), facts).what();
}

bool contains(const std::string& text, const std::string& part) {
  if (text.find(part) != std::string::npos) return true;
  UNSCOPED_INFO(text << " lacks " << part);
  return false;
}

}  // namespace

TEST_CASE("the error of a mount names source, destination, type, options, field and errno",
          "[mount_error]") {
  const std::string text = text_of(mount_of("tmpfs", MS_NOSUID | MS_RDONLY, "size=x"), EINVAL, {});
  for (const char* part :
       {"error mounting \"/src\" to rootfs at \"/dst\"", "type \"tmpfs\"",
        "options \"ro,nosuid,size=x\"", "(/mounts/3)", "mount: invalid argument"})
    CHECK(contains(text, part));
}

TEST_CASE("the error of a mount says what to do", "[mount_error]") {
  struct Row {
    configs::Mount mount;
    int code;
    MountFacts facts;
    const char* part;
  };
  using enum FileKind;
  const Row rows[] = {
      {mount_of("bind", MS_BIND),
       ENOENT,
       {missing, directory, false},
       "the source \"/src\" does not exist on the host"},
      {mount_of("bind", MS_BIND),
       ENOTDIR,
       {directory, file, false},
       "the source \"/src\" is a directory and the destination \"/dst\" in the container is a "
       "file"},
      {mount_of("bind", MS_BIND),
       ENOTDIR,
       {file, directory, false},
       "the source \"/src\" is a file and the destination \"/dst\" in the container is a "
       "directory"},
      {mount_of("bind", MS_BIND),
       ENOTDIR,
       {directory, file, false},
       ": not a directory (/mounts/3); "},
      {mount_of("bind", MS_BIND),
       ENOTDIR,
       {directory, file, false},
       "Are you trying to mount a directory onto a file (or vice-versa)?"},
      {mount_of("tmpfs", 0), ENOTDIR, {unknown, file, false}, "in the container is a file"},
      {mount_of("", 0), ENODEV, {}, "is this meant to be a bind mount?"},
      {mount_of("none", 0), ENODEV, {}, "the options have no \"bind\" or \"rbind\""},
      {mount_of("nosuchfs", 0), ENODEV, {}, "the kernel knows no file system \"nosuchfs\""},
      {mount_of("sysfs", 0), EPERM, {unknown, directory, true}, "network namespace of its own"},
      {mount_of("proc", 0), EPERM, {unknown, directory, true}, "PID namespace of its own"},
      {mount_of("mqueue", 0), EPERM, {unknown, directory, true}, "IPC namespace"},
      {mount_of("ext4", 0), EPERM, {unknown, directory, true}, "mount it on the host and bind it"},
      {mount_of("bind", MS_BIND), EPERM, {directory, directory, true}, "can't be switched off"},
      {mount_of("tmpfs", 0, "bad=1"), EINVAL, {}, "may not know one of the options \"bad=1\""},
      {mount_of("devpts", 0, "gid=7"), EINVAL, {unknown, directory, true}, "must be mapped"},
      {mount_of("bind", MS_BIND), EACCES, {unknown, directory, true}, "able to reach the source"},
  };
  for (const Row& row : rows) CHECK(contains(text_of(row.mount, row.code, row.facts), row.part));
}

TEST_CASE("a hint of the cause is kept", "[mount_error]") {
  const Error cause = Error("refused").hint("read the manual");
  const Error error = explain_mount(mount_of("proc", 0), "/mounts/0", cause, {});
  CHECK(error.hint() == "read the manual");
  CHECK(error.field() == "/mounts/0");
}

}  // namespace hull::rootfs
