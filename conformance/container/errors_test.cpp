// A program that can't be executed: the error names the true cause (users-ask.md 4).
#include <elf.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>

#include "conformance/container/bundle.h"
#include "conformance/container/host.h"
#include "conformance/container/hull.h"
#include "libruntime/system/catch.h"
#include "libruntime/system/files.h"

namespace hull::conformance {
namespace {

// The error of a run of /prog, also of a run -d and an exec: all three must say it.
std::string program_error(Bundle& bundle) {
  bundle.args({"/prog"});
  const Outcome done = Hull(bundle).run();
  CHECK(done.exit_code != 0);
  const Outcome detached = Hull(bundle).run({"-d"});
  CHECK(detached.exit_code != 0);

  bundle.args({"/bin/sleep", "100"});
  Hull running(bundle);
  running.launch();
  const Outcome executed = running.exec({"/prog"});
  CHECK(executed.exit_code == 255);
  return done.err + "\n---\n" + detached.err + "\n---\n" + executed.err;
}

void check_all_say(const std::string& errors, const std::vector<std::string>& parts) {
  INFO(errors);
  size_t begin = 0;
  for (int i = 0; i < 3; ++i) {
    const size_t end = errors.find("\n---\n", begin);
    const std::string one = errors.substr(begin, end - begin);
    for (const std::string& part : parts) {
      INFO("looking for " << part);
      CHECK(contains(one, part));
    }
    begin = end + 5;
  }
}

std::string elf_header(unsigned char elf_class, uint16_t machine) {
  Elf64_Ehdr header{};
  header.e_ident[EI_MAG0] = ELFMAG0;
  header.e_ident[EI_MAG1] = ELFMAG1;
  header.e_ident[EI_MAG2] = ELFMAG2;
  header.e_ident[EI_MAG3] = ELFMAG3;
  header.e_ident[EI_CLASS] = elf_class;
  header.e_ident[EI_DATA] = ELFDATA2LSB;
  header.e_ident[EI_VERSION] = EV_CURRENT;
  header.e_type = ET_EXEC;
  header.e_machine = machine;
  header.e_version = EV_CURRENT;
  header.e_ehsize = sizeof header;
  std::string text(4096, '\0');
  text.replace(0, sizeof header, reinterpret_cast<const char*>(&header), sizeof header);
  return text;
}

}  // namespace

TEST_CASE("a missing program: the path, or the PATH that was searched", "[users-ask-4]") {
  Bundle bundle;
  check_all_say(program_error(bundle), {"/prog", "no such file or directory"});
  Bundle by_name;
  by_name.args({"prog-by-name"});
  const Outcome done = Hull(by_name).run();
  CHECK(contains(done.err, "prog-by-name"));
  CHECK(contains(done.err, "executable file not found in $PATH"));
}

TEST_CASE("a script whose interpreter is missing: the interpreter", "[users-ask-4]") {
  Bundle bundle;
  write_file(bundle.rootfs("/prog"), "#!/usr/bin/absent-python\n", 0755);
  check_all_say(program_error(bundle), {"/prog", "/usr/bin/absent-python"});
}

TEST_CASE("a script with Windows line ends says so", "[users-ask-4]") {
  Bundle bundle;
  write_file(bundle.rootfs("/prog"), "#!/bin/sh\r\necho x\r\n", 0755);
  check_all_say(program_error(bundle), {"/prog", "CR"});
}

TEST_CASE("a script without a first line says what is missing", "[users-ask-4]") {
  Bundle bundle;
  write_file(bundle.rootfs("/prog"), "echo x\n", 0755);
  check_all_say(program_error(bundle), {"/prog", "exec format error", "#!"});
}

TEST_CASE("a program that may not be executed", "[users-ask-4]") {
  Bundle bundle;
  write_file(bundle.rootfs("/prog"), "#!/bin/sh\n", 0644);
  check_all_say(program_error(bundle), {"/prog", "permission denied", "execute permission"});
}

TEST_CASE("a directory", "[users-ask-4]") {
  Bundle bundle;
  make_directories(bundle.rootfs("/prog"), 0755);
  check_all_say(program_error(bundle), {"/prog", "directory"});
}

TEST_CASE("a program of another processor", "[users-ask-4]") {
  Bundle bundle;
  write_file(bundle.rootfs("/prog"), elf_header(ELFCLASS64, EM_AARCH64), 0755);
  check_all_say(program_error(bundle), {"/prog", "exec format error", "aarch64"});
}

TEST_CASE("a program whose loader is missing: the loader", "[users-ask-4]") {
  Bundle bundle;
  // The runtime's host has a dynamic program; the bundle has no libc.
  write_file(bundle.rootfs("/prog"), read_file("/usr/bin/env"), 0755);
  check_all_say(program_error(bundle), {"/prog", "ld-linux"});
}

TEST_CASE("a program on a noexec mount", "[users-ask-4]") {
  Bundle bundle;
  make_directories(bundle.dir() + "/files", 0755);
  write_file(bundle.dir() + "/files/prog", "#!/bin/sh\n", 0755);
  bundle.bind(bundle.dir() + "/files/prog", "/prog", {"bind", "noexec"});
  check_all_say(program_error(bundle), {"/prog", "permission denied", "noexec"});
}

TEST_CASE("an empty file", "[users-ask-4]") {
  Bundle bundle;
  write_file(bundle.rootfs("/prog"), "", 0755);
  check_all_say(program_error(bundle), {"/prog", "empty"});
}

TEST_CASE("a link that leads nowhere", "[users-ask-4]") {
  Bundle bundle;
  REQUIRE(symlink("/absent/target", bundle.rootfs("/prog").c_str()) == 0);
  check_all_say(program_error(bundle), {"/prog", "/absent/target"});
}

}  // namespace hull::conformance
