#include <dirent.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <memory>

#include "libruntime/state/state.h"
#include "libruntime/system/error.h"
#include "libruntime/system/files.h"

namespace hull::state {
namespace {

constexpr char kStateFile[] = "state.json";
constexpr char kFifo[] = "exec.fifo";

// root/ID/state.json holds no more than a configuration, and that is bounded, too.
constexpr size_t kMaxState = size_t{32} << 20;

[[noreturn]] void does_not_exist() {
  throw Error(kDoesNotExist).kind(ErrorKind::container_not_exists);
}

bool is_id(const std::string& name) {
  return !name.empty() && name.size() <= 1024 && name != "." && name != ".." &&
         std::all_of(name.begin(), name.end(), [](unsigned char c) {
           return std::isalnum(c) != 0 || c == '_' || c == '+' || c == '-' || c == '.';
         });
}

struct CloseDir {
  void operator()(DIR* dir) const { closedir(dir); }
};

// The entries of a directory other than "." and "..".
std::vector<std::string> entries(int dir_fd, const std::string& name) {
  // A descriptor of its own: readdir moves the offset that duplicates share.
  Fd copy = open_or_throw(dir_fd, ".", O_RDONLY | O_DIRECTORY);
  const std::unique_ptr<DIR, CloseDir> dir(fdopendir(copy.get()));
  if (!dir) throw Error("cannot list " + quote(name), "fdopendir", errno);
  (void)copy.release();  // closedir owns it
  std::vector<std::string> out;
  while (const dirent* entry = readdir(dir.get())) {
    const std::string_view text = entry->d_name;
    if (text != "." && text != "..") out.emplace_back(text);
  }
  return out;
}

void remove_tree(int dir, const std::string& name) {
  if (unlinkat(dir, name.c_str(), 0) == 0 || errno == ENOENT) return;
  if (errno != EISDIR && errno != EPERM)
    throw Error("cannot remove " + quote(name), "unlink", errno);
  const Fd sub = open_or_throw(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
  for (const std::string& one : entries(sub.get(), name)) remove_tree(sub.get(), one);
  if (unlinkat(dir, name.c_str(), AT_REMOVEDIR) != 0 && errno != ENOENT)
    throw Error("cannot remove directory " + quote(name), "rmdir", errno);
}

}  // namespace

void check_id(const std::string& id) {
  if (id.empty()) throw Error("container id cannot be empty").kind(ErrorKind::invalid_id);
  if (!is_id(id))
    throw Error("invalid container ID format: " + quote(id))
        .hint("use letters, digits and _ + - . only")
        .kind(ErrorKind::invalid_id);
}

Directory Directory::claim(const std::string& root, const std::string& id) {
  check_id(id);
  Directory out;
  out.path_ = root + "/" + id;
  // 0711: the container's root user, when it is another one, must reach exec.fifo.
  const auto make = [&] { return mkdir(out.path_.c_str(), 0711) == 0 ? 0 : errno; };
  int failure = make();
  if (failure == ENOENT) {
    make_directories(root, 0711);
    failure = make();
  }
  if (failure == EEXIST)
    throw Error("container with given ID already exists").kind(ErrorKind::id_in_use);
  if (failure != 0)
    throw Error("cannot make the state directory " + quote(out.path_), "mkdir", failure);
  out.fd_ = open_or_throw(AT_FDCWD, out.path_, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
  return out;
}

Directory Directory::open(const std::string& root, const std::string& id) {
  check_id(id);
  Directory out;
  out.path_ = root + "/" + id;
  out.fd_ = Fd(::open(out.path_.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  if (!out.fd_) {
    if (errno == ENOENT || errno == ENOTDIR) does_not_exist();
    throw Error("cannot open the state directory " + quote(out.path_), "open", errno);
  }
  return out;
}

void Directory::wait_for_lock() const {
  while (flock(fd_.get(), LOCK_EX) != 0)
    if (errno != EINTR) throw Error("cannot lock " + quote(path_), "flock", errno);
}

bool Directory::removed() const {
  struct stat now {};
  if (fstat(fd_.get(), &now) != 0) throw Error("cannot look at " + quote(path_), "fstat", errno);
  return now.st_nlink == 0;
}

void Directory::lock() const {
  wait_for_lock();
  if (removed()) does_not_exist();
}

void Directory::unlock() const {
  // Dropped anyway when the descriptor closes: nothing can be done about a failure.
  (void)flock(fd_.get(), LOCK_UN);
}

void Directory::save(const State& state) const {
  replace_file_at(fd_.get(), kStateFile, to_json(state), 0600);
}

FileDraft Directory::draft(const State& state) const {
  return {fd_.get(), kStateFile, to_json(state), 0600};
}

State Directory::load() const {
  auto text = read_file_if_exists_at(fd_.get(), kStateFile, kMaxState);
  if (!text) does_not_exist();
  return from_json(std::move(*text));
}

void Directory::make_exec_fifo(uid_t uid, gid_t gid) const {
  // Write only for others: the program opens it as the container's user. The umask must not matter.
  if (mkfifoat(fd_.get(), kFifo, 0622) != 0 || fchmodat(fd_.get(), kFifo, 0622, 0) != 0)
    throw Error("cannot make exec.fifo", "mkfifo", errno);
  if ((uid != geteuid() || gid != getegid()) && fchownat(fd_.get(), kFifo, uid, gid, 0) != 0)
    throw Error("cannot give exec.fifo to the container's root user", "chown", errno);
}

bool Directory::has_exec_fifo() const { return faccessat(fd_.get(), kFifo, F_OK, 0) == 0; }

void Directory::remove() {
  // The usual content first, without listing.
  const auto unlink_one = [&](const char* name) {
    return unlinkat(fd_.get(), name, 0) == 0 ? 0 : errno;
  };
  const auto gone = [](int code) { return code == 0 || code == ENOENT; };
  const int fifo = unlink_one(kFifo);
  const int file = unlink_one(kStateFile);
  // Where another process was faster, the name may be another container's by now.
  if (file == ENOENT && removed()) return;
  if (gone(fifo) && gone(file) && rmdir(path_.c_str()) == 0) return;
  for (const std::string& one : entries(fd_.get(), path_)) remove_tree(fd_.get(), one);
  if (rmdir(path_.c_str()) != 0 && errno != ENOENT)
    throw Error("cannot remove the state directory " + quote(path_), "rmdir", errno);
}

std::vector<std::string> list_ids(const std::string& root) {
  const Fd dir(::open(root.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!dir) {
    if (errno == ENOENT) return {};
    throw Error("cannot list the state root " + quote(root), "open", errno);
  }
  std::vector<std::string> out;
  for (std::string& one : entries(dir.get(), root)) {
    struct stat info {};
    if (!is_id(one) || fstatat(dir.get(), one.c_str(), &info, AT_SYMLINK_NOFOLLOW) != 0 ||
        !S_ISDIR(info.st_mode))
      continue;
    out.push_back(std::move(one));
  }
  std::sort(out.begin(), out.end());
  return out;
}

}  // namespace hull::state
