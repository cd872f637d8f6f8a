#include "specconv/host_checks.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <cerrno>
#include <cstdlib>
#include <memory>

#include "libruntime/configs/sysctl.h"
#include "libruntime/system/error.h"
#include "libruntime/system/fd.h"
#include "libruntime/system/files.h"
#include "libruntime/system/syscalls.h"
#include "libruntime/system/text.h"

namespace hull::specconv {
namespace {

struct Free {
  void operator()(char* text) const { std::free(text); }
};

// For kernels before 5.6 and hosts whose seccomp filter hides openat2(2).
void check_resolved(const std::string& base, const std::string& path) {
  const std::unique_ptr<char, Free> start(realpath(base.c_str(), nullptr));
  const std::unique_ptr<char, Free> found(realpath(clean_path(base + "/" + path).c_str(), nullptr));
  if (start == nullptr || found == nullptr)
    throw Error("invalid rootfs " + quote(path), "realpath", errno).field("/root/path");
  if (clean_path(std::string(start.get()) + "/" + path) != found.get())
    throw Error("invalid rootfs " + quote(path), "realpath", ELOOP).field("/root/path");
}

void check_rootfs(const std::string& bundle, const std::string& root_path) {
  const bool absolute = root_path.starts_with('/');
  const std::string base = absolute ? "/" : bundle;
  const std::string path = clean_path(absolute ? root_path.substr(1) : root_path);
  const Fd start = open_or_throw(AT_FDCWD, base, O_PATH | O_DIRECTORY);
  // The path may well lead out of the bundle ("../rootfs"), so RESOLVE_BENEATH is no choice.
  Fd root(sys::openat2(start.get(), path.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC, 0,
                       RESOLVE_NO_SYMLINKS));
  if (root) return;
  if (errno == ELOOP) {
    throw Error("invalid rootfs " + quote(root_path) + ": it is, or is reached by, a symbolic link")
        .field("/root/path")
        .hint("give the real path");
  }
  if (errno != ENOSYS && errno != EPERM)
    throw Error("invalid rootfs " + quote(root_path), "open", errno).field("/root/path");
  root = open_or_throw(start.get(), path, O_PATH | O_DIRECTORY);
  check_resolved(base, path);
}

bool sets_network_parameters(const Linux& in) {
  for (const auto& [key, value] : in.sysctl)
    if (const auto path = configs::sysctl_path(key); path && path->starts_with("net/")) return true;
  return false;
}

void check_network_namespace(const Linux& in) {
  const configs::Namespace* network = in.find(configs::NamespaceType::network);
  if (network == nullptr || network->path.empty() || !sets_network_parameters(in)) return;
  struct stat own {};
  struct stat joined {};
  if (stat("/proc/self/ns/net", &own) != 0)
    throw Error("looking at the host's network namespace", "stat", errno);
  if (stat(network->path.c_str(), &joined) != 0)
    throw Error("looking at " + quote(network->path), "stat", errno).field("/linux/namespaces");
  if (own.st_dev == joined.st_dev && own.st_ino == joined.st_ino) {
    throw Error("sysctl net.* is not allowed in the host network namespace").field("/linux/sysctl");
  }
}

}  // namespace

void check_host(const Spec& spec, const std::string& bundle) {
  check_rootfs(bundle, spec.root.path);
  check_network_namespace(spec.linux_part);
}

}  // namespace hull::specconv
