#include "libruntime/init/program_error.h"

#include <elf.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <optional>
#include <string_view>

#include "libruntime/system/fd.h"
#include "libruntime/system/text.h"

namespace hull::init {
namespace {

constexpr char kArgs[] = "/process/args/0";

struct Machine {
  uint16_t number;
  const char* name;
};
constexpr std::array kMachines{
    Machine{EM_X86_64, "x86_64"}, Machine{EM_386, "i386"},    Machine{EM_AARCH64, "aarch64"},
    Machine{EM_ARM, "arm"},       Machine{EM_RISCV, "riscv"}, Machine{EM_PPC64, "ppc64"},
    Machine{EM_S390, "s390x"},    Machine{EM_MIPS, "mips"},   Machine{258, "loongarch"}};
#if defined(__x86_64__)
constexpr uint16_t kHost = EM_X86_64;
#elif defined(__aarch64__)
constexpr uint16_t kHost = EM_AARCH64;
#elif defined(__riscv)
constexpr uint16_t kHost = EM_RISCV;
#elif defined(__powerpc64__)
constexpr uint16_t kHost = EM_PPC64;
#elif defined(__s390x__)
constexpr uint16_t kHost = EM_S390;
#else
constexpr uint16_t kHost = EM_NONE;
#endif

std::string machine_name(uint16_t number) {
  for (const Machine& machine : kMachines)
    if (machine.number == number) return machine.name;
  return "machine " + std::to_string(number);
}

Error cannot_exec(const std::string& name, const std::string& call, int code, std::string hint) {
  return Error("exec: " + quote(name), call, code).field(kArgs).hint(hint);
}

// What is at `path`, as far as it bears on execve.
class Look {
 public:
  explicit Look(const std::string& path)
      : path_(path), fd_(open(path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC)) {
    if (stat(path.c_str(), &info_) == 0) exists_ = true;
    if (fd_ && S_ISREG(info_.st_mode)) {
      const ssize_t got = pread(fd_.get(), head_.data(), head_.size(), 0);
      size_ = got > 0 ? static_cast<size_t>(got) : 0;
    }
  }

  [[nodiscard]] std::string not_found() const {
    if (!exists_) return dangling_link();
    if (is_script()) {
      const std::string interpreter = script_interpreter();
      if (interpreter.ends_with('\r'))
        return "the script's first line ends in CRLF: the kernel looks for interpreter " +
               quote(interpreter);
      return "the script's interpreter " + quote(interpreter) + " is not in the container";
    }
    if (const auto loader = elf_loader())
      return "the program's loader " + quote(*loader) +
             " is not in the container (another libc or architecture?)";
    return {};
  }

  [[nodiscard]] std::string bad_format() const {
    if (size_ == 0) return "the file is empty";
    if (is_elf()) {
      uint16_t machine = 0;
      std::memcpy(&machine, head_.data() + offsetof(Elf64_Ehdr, e_machine), sizeof machine);
      if (machine != kHost)
        return "the binary is " + machine_name(machine) + ", the host is " + machine_name(kHost) +
               " and has no binfmt_misc handler for it";
      return "the ELF file is damaged";
    }
    if (is_script())
      return "the script's first line " + quote(script_line()) + " names no interpreter";
    return "the file is neither an ELF binary nor a script that begins with \"#!\"";
  }

  [[nodiscard]] std::string denied() const {
    if (!exists_) return "a directory on the way can't be searched by the user";
    if (S_ISDIR(info_.st_mode)) return "it is a directory";
    if (!S_ISREG(info_.st_mode)) return "it is no regular file";
    struct statvfs fs {};
    if (statvfs(path_.c_str(), &fs) == 0 && (fs.f_flag & ST_NOEXEC) != 0)
      return "it lies on a mount with noexec";
    if ((info_.st_mode & 0111) == 0) return "the file has no execute permission: chmod +x";
    if (faccessat(AT_FDCWD, path_.c_str(), X_OK, AT_EACCESS) != 0)
      return "the user may not execute the file";
    if (is_script()) return "may the interpreter " + quote(script_interpreter()) + " be executed?";
    return {};
  }

  [[nodiscard]] bool exists() const { return exists_; }

 private:
  [[nodiscard]] std::string dangling_link() const {
    char target[4096];
    const ssize_t length = readlink(path_.c_str(), target, sizeof target);
    if (length <= 0) return {};
    return "it is a link to " + quote({target, static_cast<size_t>(length)}) +
           ", which is not in the container";
  }
  [[nodiscard]] bool is_elf() const {
    return size_ >= sizeof(Elf64_Ehdr) && std::memcmp(head_.data(), ELFMAG, SELFMAG) == 0;
  }
  [[nodiscard]] bool is_script() const { return size_ > 2 && head_[0] == '#' && head_[1] == '!'; }
  [[nodiscard]] std::string script_line() const {
    const std::string_view text(head_.data(), size_);
    return std::string(text.substr(0, text.find('\n')));
  }
  // execve(2): white space around the interpreter goes; a carriage return is not white space.
  [[nodiscard]] std::string script_interpreter() const {
    std::string_view line = std::string_view(head_.data(), size_).substr(2);
    line = line.substr(0, line.find('\n'));
    line.remove_prefix(std::min(line.find_first_not_of(" \t"), line.size()));
    return std::string(line.substr(0, line.find_first_of(" \t")));
  }
  [[nodiscard]] std::optional<std::string> elf_loader() const {
    if (!is_elf() || head_[EI_CLASS] != ELFCLASS64) return std::nullopt;
    Elf64_Ehdr header{};
    std::memcpy(&header, head_.data(), sizeof header);
    for (unsigned i = 0; i < header.e_phnum && i < 64; ++i) {
      Elf64_Phdr segment{};
      const auto at = static_cast<off_t>(header.e_phoff + i * sizeof segment);
      if (pread(fd_.get(), &segment, sizeof segment, at) != sizeof segment) return std::nullopt;
      if (segment.p_type != PT_INTERP || segment.p_filesz < 2 || segment.p_filesz > 4096) continue;
      std::string loader(segment.p_filesz - 1, '\0');
      if (pread(fd_.get(), loader.data(), loader.size(), static_cast<off_t>(segment.p_offset)) !=
          static_cast<ssize_t>(loader.size()))
        return std::nullopt;
      return loader;
    }
    return std::nullopt;
  }

  std::string path_;
  Fd fd_;
  struct stat info_ {};
  bool exists_ = false;
  std::array<char, 256> head_{};
  size_t size_ = 0;
};

// 0 when `path` can be executed, else errno: EISDIR for a directory.
int executable(const std::string& path) {
  struct stat info {};
  if (stat(path.c_str(), &info) != 0) return errno;
  if (S_ISDIR(info.st_mode)) return EISDIR;
  if (faccessat(AT_FDCWD, path.c_str(), X_OK, AT_EACCESS) == 0) return 0;
  // A seccomp profile older than faccessat2(2) must not stand in the way: execve has the last word.
  if (errno == ENOSYS || (errno == EPERM && (info.st_mode & 0111) != 0)) return 0;
  return errno;
}

std::string_view path_variable(const std::vector<std::string>& env) {
  std::string_view found;
  for (const std::string& variable : env)
    if (variable.starts_with("PATH=")) found = std::string_view(variable).substr(5);
  return found;
}

}  // namespace

std::string find_program(const std::string& name, const std::vector<std::string>& env) {
  if (name.find('/') != std::string::npos) {
    const int code = executable(name);
    if (code == 0) return name;
    if (code == ENOENT || code == ENOTDIR)
      throw cannot_exec(name, "stat " + name, code, Look(name).not_found());
    // As execve(2) says it; hosts know "permission denied".
    if (code == EISDIR) throw cannot_exec(name, "", EACCES, "it is a directory");
    throw explain_exec_failure(name, name, code);
  }
  const std::string_view path = path_variable(env);
  int denied = 0;
  for (const std::string_view dir : split(path, ':')) {
    const std::string candidate = std::string(dir.empty() ? "." : dir) + "/" + name;
    const int code = executable(candidate);
    if (code == 0) return candidate;
    if (code == EACCES) denied = code;
  }
  if (denied != 0)
    throw cannot_exec(name, "", denied, "found in $PATH, but the user may not execute it");
  throw Error("exec: " + quote(name) + ": executable file not found in $PATH")
      .field(kArgs)
      .hint(path.empty() ? "PATH is not set in /process/env" : "PATH is " + quote(path));
}

Error explain_exec_failure(const std::string& name, const std::string& path, int code) {
  const Look look(path);
  switch (code) {
    case ENOENT:
      return cannot_exec(name, "", code, look.not_found());
    case ENOEXEC:
      return cannot_exec(name, "", code, look.bad_format());
    case EACCES:
    case EPERM:
      return cannot_exec(name, "", code, look.denied());
    case E2BIG:
      return cannot_exec(name, "", code, "args and env together are too long (execve(2))");
    case ENOMEM:
      return cannot_exec(name, "", code, "is the cgroup's memory limit too low?");
    default:
      return cannot_exec(name, "", code, "");
  }
}

}  // namespace hull::init
