// Man pages and shell completion, made from the tables of options.
#include "conformance/container/bundle.h"
#include "conformance/container/host.h"
#include "conformance/container/hull.h"
#include "libruntime/system/catch.h"
#include "libruntime/system/text.h"

namespace hull::conformance {
namespace {

struct Docs {
  Bundle bundle;
  Docs() { REQUIRE(run_command({HULL_DOCS, bundle.dir() + "/docs"}).exit_code == 0); }
  [[nodiscard]] std::string read(const std::string& name) const {
    return bundle.read("docs/" + name);
  }
  // What bash offers after these words; the last one is being typed.
  [[nodiscard]] std::string completions(const std::string& words, const std::string& cword) const {
    const Outcome done =
        run_command({"/bin/bash", "-c",
                     "source " + bundle.dir() + "/docs/hull.bash; COMP_WORDS=(" + words +
                         "); COMP_CWORD=" + cword + "; _hull; echo \"${COMPREPLY[@]}\""});
    INFO(done.err);
    CHECK(done.exit_code == 0);
    return done.out;
  }
};

}  // namespace

TEST_CASE("each command has a man page with all its options", "[A17]") {
  const Docs docs;
  const std::string program = docs.read("hull.8");
  CHECK(program.starts_with(".TH \"HULL\" \"8\""));
  for (const char* option : {"\\-\\-root", "\\-\\-log\\-format", "\\-\\-systemd\\-cgroup"})
    CHECK(contains(program, option));
  const std::string help = run_command({Hull::program(), "--help"}).out;
  for (const char* command :
       {"create", "run", "start", "exec", "kill", "delete", "list", "ps", "state", "spec", "update",
        "features", "validate", "convert", "nsinit"}) {
    INFO(command);
    CHECK(contains(program, "hull\\-" + std::string(command)));
    CHECK(docs.read("hull-" + std::string(command) + ".8").starts_with(".TH"));
  }
  CHECK(contains(docs.read("hull-exec.8"), "\\fB\\-\\-ignore\\-paused\\fP"));
  CHECK(contains(docs.read("hull-exec.8"), "\\fB\\-\\-env\\fP \\fIvalue\\fP, \\fB\\-e\\fP"));
}

TEST_CASE("the man pages are right for man(1)", "[A17]") {
  if (!exists("/usr/bin/groff")) HULL_SKIP("groff is not installed");
  const Docs docs;
  for (const char* page : {"hull.8", "hull-run.8", "hull-spec.8"}) {
    const Outcome done = run_command(
        {"/usr/bin/groff", "-man", "-Tascii", "-ww", docs.bundle.dir() + "/docs/" + page});
    INFO(page);
    CHECK(done.exit_code == 0);
    CHECK(done.err == "");
  }
}

TEST_CASE("bash completes commands, options and containers", "[A16]") {
  if (!exists("/bin/bash")) HULL_SKIP("bash is not installed");
  const Docs docs;
  CHECK(docs.completions("hull ex", "1") == "exec\n");
  CHECK(docs.completions("hull --log-f", "1") == "--log-format\n");
  CHECK(docs.completions("hull --root /x spe", "3") == "spec\n");
  CHECK(docs.completions("hull exec --ignore", "2") == "--ignore-paused\n");
  CHECK(docs.completions("hull help fea", "2") == "features\n");

  Bundle bundle;
  Hull hull(bundle);
  REQUIRE(hull.create().exit_code == 0);
  CHECK(docs.completions(Hull::program() + " --root " + hull.root() + " delete ''", "4") ==
        hull.id() + "\n");
  CHECK(docs.completions(Hull::program() + " --root " + hull.root() + " create ''", "4") !=
        hull.id() + "\n");
}

}  // namespace hull::conformance
