#include "libruntime/init/program_error.h"

#include <elf.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>

#include "libruntime/system/catch.h"
#include "libruntime/system/files.h"

using namespace hull;

namespace {

// A directory of bad programs.
class Programs {
 public:
  Programs() {
    char name[] = "/tmp/hull-programs.XXXXXX";
    REQUIRE(mkdtemp(name) != nullptr);
    dir_ = name;
  }
  ~Programs() {
    const std::string command = "rm -rf " + dir_;
    if (std::system(command.c_str()) != 0) std::printf("left behind: %s\n", dir_.c_str());
  }
  std::string add(const std::string& name, std::string_view content, mode_t mode = 0755) const {
    std::string path = dir_ + "/" + name;
    replace_file(path, content, mode);
    chmod(path.c_str(), mode);
    return path;
  }
  const std::string& dir() const { return dir_; }

 private:
  std::string dir_;
};

std::string explain(const std::string& path, int code) {
  return init::explain_exec_failure(path, path, code).what();
}

std::string elf(uint16_t machine, const std::string& loader) {
  Elf64_Ehdr header{};
  std::memcpy(header.e_ident, ELFMAG, SELFMAG);
  header.e_ident[EI_CLASS] = ELFCLASS64;
  header.e_machine = machine;
  header.e_phoff = sizeof header;
  header.e_phnum = 1;
  Elf64_Phdr segment{};
  segment.p_type = PT_INTERP;
  segment.p_offset = sizeof header + sizeof segment;
  segment.p_filesz = loader.size() + 1;
  std::string out(reinterpret_cast<const char*>(&header), sizeof header);
  out.append(reinterpret_cast<const char*>(&segment), sizeof segment);
  return out + loader + '\0';
}

}  // namespace

TEST_CASE("Each bad program is told by its true cause") {
  const Programs programs;
  CHECK_THAT(explain(programs.add("crlf", "#!/bin/sh\r\ntrue\n"), ENOENT),
             hull::testing::contains("CRLF"));
  CHECK_THAT(explain(programs.add("nointerp", "#! /no/such -x\n"), ENOENT),
             hull::testing::contains("interpreter \"/no/such\" is not in the container"));
  CHECK_THAT(explain(programs.add("noloader", elf(EM_X86_64, "/lib/ld-musl.so")), ENOENT),
             hull::testing::contains("loader \"/lib/ld-musl.so\" is not in the container"));
  CHECK_THAT(explain(programs.add("arch", elf(EM_MIPS, "/lib/ld.so")), ENOEXEC),
             hull::testing::contains("the binary is mips, the host is"));
  CHECK_THAT(explain(programs.add("empty", ""), ENOEXEC),
             hull::testing::contains("the file is empty"));
  CHECK_THAT(explain(programs.add("text", "echo hello\n"), ENOEXEC),
             hull::testing::contains("neither an ELF binary nor a script"));
  CHECK_THAT(explain(programs.add("nox", "#!/bin/sh\n", 0644), EACCES),
             hull::testing::contains("no execute permission"));
  CHECK_THAT(explain(programs.dir(), EACCES), hull::testing::contains("it is a directory"));
  CHECK_THAT(explain(programs.dir() + "/missing", ENOENT),
             hull::testing::contains("no such file or directory"));
}

TEST_CASE("A program is found in PATH as execvp does, with the words that callers match") {
  const Programs programs;
  const std::string good = programs.add("good", "#!/bin/sh\n");
  programs.add("plain", "x", 0644);
  const std::vector<std::string> env{"PATH=/nowhere", "PATH=/nowhere:" + programs.dir()};
  CHECK(init::find_program("good", env) == good);
  CHECK(init::find_program(good, {}) == good);
  CHECK_THROWS_WITH(
      init::find_program("missing", env),
      hull::testing::contains("exec: \"missing\": executable file not found in $PATH"));
  CHECK_THROWS_WITH(init::find_program("/no/such", env),
                    hull::testing::contains("no such file or directory"));
  CHECK_THROWS_WITH(init::find_program("plain", env), hull::testing::contains("permission denied"));
  CHECK_THROWS_WITH(init::find_program(programs.dir(), env),
                    hull::testing::contains("it is a directory"));
}
