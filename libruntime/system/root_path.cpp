#include "libruntime/system/root_path.h"

#include <sys/stat.h>

#include <cerrno>
#include <climits>
#include <vector>

#include "libruntime/system/error.h"
#include "libruntime/system/files.h"
#include "libruntime/system/text.h"

namespace hull {
namespace {

constexpr int kMaxLinks = 40;      // as the kernel, path_resolution(7)
constexpr int kMaxAttempts = 128;  // openat2(2): EAGAIN while something is renamed or mounted

bool lacks_openat2(int code) { return code == ENOSYS || code == EPERM; }

// Resolves a path with openat(2) alone. ".." goes back to a descriptor that was held, so a
// directory that is moved meanwhile can't lead above the root.
class Walk {
 public:
  Walk(int root, uint64_t resolve) : root_(root), resolve_(resolve) {}

  // Makes missing directories on the way, the last component excepted.
  void create_parents(mode_t mode) {
    create_ = true;
    mode_ = mode;
  }
  void keep_last_link() { keep_last_link_ = true; }

  // Goes to the directory of the last component. False and errno when that fails. The last
  // component itself may be missing; it is no link unless keep_last_link.
  bool go(std::string_view path);

  [[nodiscard]] int directory() const { return above_.empty() ? root_ : above_.back().get(); }
  // Empty: the path names directory() itself.
  [[nodiscard]] const std::string& name() const { return name_; }

 private:
  bool next_component();
  bool step();
  bool follow(int link);
  bool enter(Fd fd);
  [[nodiscard]] bool is_last() const { return todo_.find_first_not_of('/') == std::string::npos; }

  int root_;
  uint64_t resolve_;
  std::vector<Fd> above_;  // directories entered, innermost last
  std::string todo_, name_;
  mode_t mode_ = 0;
  int links_ = 0;
  bool create_ = false, keep_last_link_ = false;
};

bool Walk::go(std::string_view path) {
  todo_ = path;
  while (next_component()) {
    if (!step()) return false;
    if (!name_.empty()) return true;
  }
  return true;
}

// Takes the next component into name_; false when there is none.
bool Walk::next_component() {
  name_.clear();
  const size_t start = todo_.find_first_not_of('/');
  if (start == std::string::npos) return false;
  const size_t end = std::min(todo_.find('/', start), todo_.size());
  name_ = todo_.substr(start, end - start);
  todo_.erase(0, end);
  return true;
}

// Deals with name_, and clears it unless it is where the walk ends.
bool Walk::step() {
  if (name_ == "." || name_ == "..") {
    if (name_ == ".." && !above_.empty()) above_.pop_back();
    name_.clear();
    return true;
  }
  const bool last = is_last();
  Fd fd(openat(directory(), name_.c_str(), O_PATH | O_NOFOLLOW | O_CLOEXEC));
  if (!fd && errno == ENOENT && last) return true;
  if (!fd && errno == ENOENT && create_) {
    if (mkdirat(directory(), name_.c_str(), mode_) != 0 && errno != EEXIST) return false;
    fd.reset(openat(directory(), name_.c_str(), O_PATH | O_NOFOLLOW | O_CLOEXEC));
  }
  if (!fd) return false;
  struct stat info {};
  if (fstat(fd.get(), &info) != 0) return false;
  if (S_ISLNK(info.st_mode)) {
    if (last && keep_last_link_) return true;
    return follow(fd.get());
  }
  if (last) return (resolve_ & RESOLVE_NO_XDEV) == 0 || enter(std::move(fd));
  return enter(std::move(fd));
}

bool Walk::follow(int link) {
  if ((resolve_ & RESOLVE_NO_SYMLINKS) != 0 || ++links_ > kMaxLinks) {
    errno = ELOOP;
    return false;
  }
  std::string target(PATH_MAX, '\0');
  const ssize_t length = readlinkat(link, "", target.data(), target.size());
  if (length < 0) return false;
  target.resize(static_cast<size_t>(length));
  if (target.starts_with('/')) above_.clear();
  todo_ = target + '/' + todo_;
  name_.clear();
  return true;
}

bool Walk::enter(Fd fd) {
  struct stat info {};
  if (fstat(fd.get(), &info) != 0) return false;
  if ((resolve_ & RESOLVE_NO_XDEV) != 0) {
    struct stat base {};
    if (fstat(root_, &base) != 0) return false;
    if (info.st_dev != base.st_dev) {
      errno = EXDEV;
      return false;
    }
    if (is_last()) return true;
  }
  if (!S_ISDIR(info.st_mode)) {
    errno = ENOTDIR;
    return false;
  }
  above_.push_back(std::move(fd));
  name_.clear();
  return true;
}

Fd walk_and_open(int root, std::string_view path, int flags, uint64_t resolve) {
  Walk walk(root, resolve);
  if ((flags & O_NOFOLLOW) != 0) walk.keep_last_link();
  if (!walk.go(path)) return Fd();
  const char* name = walk.name().empty() ? "." : walk.name().c_str();
  // What was no link a moment ago must not be one now.
  return Fd(openat(walk.directory(), name, flags | O_NOFOLLOW | O_CLOEXEC));
}

struct Parts {
  std::string parent, name;
};

Parts split_last(std::string_view path) {
  while (path.size() > 1 && path.ends_with('/')) path.remove_suffix(1);
  const size_t slash = path.rfind('/');
  if (slash == std::string_view::npos) return {"/", std::string(path)};
  return {std::string(path.substr(0, slash + 1)), std::string(path.substr(slash + 1))};
}

// A path that the kernel would read another way than our checks: it ends at the NUL.
bool has_nul(std::string_view path) { return path.find('\0') != std::string_view::npos; }

bool is_plain(const std::string& name) { return !name.empty() && name != "." && name != ".."; }

constexpr int kDirectory = O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
constexpr int kNewFile = O_RDONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC;

}  // namespace

RootPath RootPath::at(const std::string& trusted_path) {
  return RootPath(open_or_throw(AT_FDCWD, trusted_path, O_PATH | O_DIRECTORY));
}

Fd RootPath::try_open(std::string_view path, int flags, uint64_t resolve) const {
  if (has_nul(path)) {
    errno = EINVAL;
    return Fd();
  }
  const std::string name(path.empty() ? "/" : path);
  const uint64_t rules = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS | resolve;
  for (int attempt = 0; attempt < kMaxAttempts; ++attempt) {
    Fd fd(sys::openat2(root_.get(), name.c_str(), static_cast<unsigned>(flags) | O_CLOEXEC, 0,
                       rules));
    if (fd) return fd;
    if (lacks_openat2(errno)) return walk_and_open(root_.get(), name, flags, resolve);
    if (errno != EAGAIN && errno != EINTR) return Fd();
  }
  return Fd();
}

Fd RootPath::open(std::string_view path, int flags, uint64_t resolve) const {
  Fd fd = try_open(path, flags, resolve);
  if (!fd) throw Error("cannot open " + quote(path) + " in the root file system", "openat2", errno);
  return fd;
}

Fd RootPath::mkdir_all(std::string_view path, mode_t mode, uint64_t resolve) const {
  if (has_nul(path)) throw Error(quote(path) + " holds a NUL character");
  const Parts parts = split_last(path);
  if (is_plain(parts.name)) {  // most often only the last one is missing
    if (const Fd parent = try_open(parts.parent, O_PATH | O_DIRECTORY, resolve)) {
      if (mkdirat(parent.get(), parts.name.c_str(), mode) == 0 || errno == EEXIST) {
        Fd made(openat(parent.get(), parts.name.c_str(), kDirectory));
        if (made && (resolve & RESOLVE_NO_XDEV) == 0) return made;
      }
    }
  }
  Walk walk(root_.get(), resolve);
  walk.create_parents(mode);
  Fd made;
  if (walk.go(path)) {
    if (walk.name().empty()) {
      made.reset(openat(walk.directory(), ".", kDirectory));
    } else if (mkdirat(walk.directory(), walk.name().c_str(), mode) == 0 || errno == EEXIST) {
      made.reset(openat(walk.directory(), walk.name().c_str(), kDirectory));
    }
  }
  if (!made)
    throw Error("cannot make directory " + quote(path) + " in the root file system", "mkdir",
                errno);
  return made;
}

Fd RootPath::create_file(std::string_view path, mode_t mode, uint64_t resolve) const {
  if (has_nul(path)) throw Error(quote(path) + " holds a NUL character");
  const Parts parts = split_last(path);
  if (is_plain(parts.name)) {
    if (const Fd parent = try_open(parts.parent, O_PATH | O_DIRECTORY, resolve)) {
      Fd made(openat(parent.get(), parts.name.c_str(), kNewFile, mode));
      if (made) return made;
    }
  }
  Walk walk(root_.get(), resolve);
  walk.create_parents(0755);
  Fd made;
  if (walk.go(path)) {
    if (walk.name().empty()) {
      errno = EISDIR;
    } else {
      made.reset(openat(walk.directory(), walk.name().c_str(), kNewFile, mode));
    }
  }
  if (!made)
    throw Error("cannot create file " + quote(path) + " in the root file system", "open", errno);
  return made;
}

std::string RootPath::path_of(int fd) const {
  const auto read = [](int of) {
    const std::string link = "/proc/self/fd/" + std::to_string(of);
    std::string text(PATH_MAX, '\0');
    const ssize_t length = readlink(link.c_str(), text.data(), text.size());
    if (length < 0) throw Error("cannot read the link " + link, "readlink", errno);
    text.resize(static_cast<size_t>(length));
    return text;
  };
  const std::string base = read(root_.get());
  const std::string path = read(fd);
  if (!path_is_below(path, base)) throw Error(quote(path) + " lies outside of " + quote(base));
  if (base == "/" || path == base) return base == "/" ? path : "/";
  return path.substr(base.size());
}

}  // namespace hull
