#include "libruntime/system/files.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <climits>
#include <cstdio>
#include <string>

#include "conformance/probe/topics.h"
#include "libruntime/system/mountinfo.h"
#include "libruntime/system/text.h"

namespace hull::probe {
namespace {

Json words(std::string_view list, char separator = ',') {
  Json all = Json::array();
  for (const std::string_view word : split(list, separator))
    if (!word.empty()) all.push_back(std::string(word));
  return all;
}

// "shared", "slave" (of another peer group), "unbindable", "private".
std::string propagation_of(const MountInfo& mount) {
  const std::string& text = mount.propagation;
  if (text.find("shared:") != std::string::npos)
    return text.find("master:") != std::string::npos ? "shared slave" : "shared";
  if (text.find("master:") != std::string::npos) return "slave";
  return text.find("unbindable") != std::string::npos ? "unbindable" : "private";
}

const char* type_of(mode_t mode) {
  switch (mode & S_IFMT) {
    case S_IFCHR:
      return "c";
    case S_IFBLK:
      return "b";
    case S_IFIFO:
      return "p";
    case S_IFDIR:
      return "d";
    case S_IFLNK:
      return "l";
    case S_IFSOCK:
      return "s";
    default:
      return "f";
  }
}

// "ok" or the errno of trying to open it so.
std::string opening(const std::string& path, int flags) {
  const Fd fd(open(path.c_str(), flags | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
  return fd ? "ok" : errno_name(errno);
}

// Whether a file can be made in a directory.
std::string creating_in(const std::string& directory) {
  const std::string path = directory + "/.probe";
  const Fd fd(open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
  if (!fd) return errno_name(errno);
  unlink(path.c_str());
  return "ok";
}

// The first 4 KiB, without white space at the ends, or errno.
std::string beginning(const std::string& path) {
  const Fd fd(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
  std::array<char, 4096> text{};
  const ssize_t size = fd ? read(fd.get(), text.data(), text.size()) : -1;
  if (size < 0) return errno_name(errno);
  return std::string(trim(std::string_view(text.data(), static_cast<size_t>(size))));
}

Json file(const std::string& path) {
  struct stat info {};
  if (lstat(path.c_str(), &info) != 0) return nullptr;
  std::array<char, 8> mode{};
  std::snprintf(mode.data(), mode.size(), "%04o", info.st_mode & 07777);
  Json seen = {{"type", type_of(info.st_mode)},
               {"mode", mode.data()},
               {"uid", info.st_uid},
               {"gid", info.st_gid},
               {"size", info.st_size},
               {"inode", info.st_ino}};
  if (S_ISLNK(info.st_mode)) {
    std::array<char, PATH_MAX> target{};
    const ssize_t size = readlink(path.c_str(), target.data(), target.size());
    if (size >= 0) seen["target"] = std::string(target.data(), static_cast<size_t>(size));
    seen["resolves"] = access(path.c_str(), F_OK) == 0;
    return seen;
  }
  if (S_ISCHR(info.st_mode) || S_ISBLK(info.st_mode)) {
    seen["major"] = major(info.st_rdev);
    seen["minor"] = minor(info.st_rdev);
  }
  seen["read"] = opening(path, O_RDONLY);
  seen["write"] = S_ISDIR(info.st_mode) ? creating_in(path) : opening(path, O_WRONLY);
  if (S_ISREG(info.st_mode)) seen["text"] = beginning(path);
  return seen;
}

}  // namespace

// By mount point; of several at one place the last, which is the one that is seen.
Json mounts(const Keys&) {
  Json all = Json::object();
  int order = 0;
  for (const MountInfo& mount : read_mountinfo())
    all[mount.mount_point] = {{"type", mount.fs_type},
                              {"source", mount.source},
                              {"root", mount.root},
                              {"options", words(mount.options)},
                              {"super", words(mount.super_options)},
                              {"propagation", propagation_of(mount)},
                              {"order", order++}};
  return all;
}

Json files(const Keys& paths) {
  Json all = Json::object();
  for (const std::string& path : paths) all[path] = file(path);
  return all;
}

}  // namespace hull::probe
