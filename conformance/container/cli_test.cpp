// Global options, texts and outputs of the command line (rows A and parts of B).
#include <functional>

#include "conformance/container/bundle.h"
#include "conformance/container/host.h"
#include "conformance/container/hull.h"
#include "conformance/container/socket.h"
#include "libruntime/system/catch.h"
#include "libruntime/system/files.h"
#include "libruntime/system/text.h"

namespace hull::conformance {

TEST_CASE("global options are accepted with one or two dashes, with = or a blank", "[A1][A6]") {
  Bundle bundle;
  Hull hull(bundle);
  REQUIRE(hull.create().exit_code == 0);
  for (const std::vector<std::string>& form :
       std::vector<std::vector<std::string>>{{"--root", hull.root()},
                                             {"--root=" + hull.root()},
                                             {"-root", hull.root()},
                                             {"-root=" + hull.root()}}) {
    std::vector<std::string> argv = {Hull::program()};
    argv.insert(argv.end(), form.begin(), form.end());
    argv.insert(argv.end(), {"list", "-q"});
    INFO(form[0]);
    CHECK(run_command(argv).out == hull.id() + "\n");
  }
}

TEST_CASE("an error goes to stderr and, as a JSON line, to the log file", "[A3][A4]") {
  Bundle bundle;
  const std::string log = bundle.dir() + "/log.json";
  const Outcome done = run_command({Hull::program(), "--root", bundle.dir() + "/state", "--log",
                                    log, "--log-format", "json", "state", "absent"});
  CHECK(done.exit_code == 1);
  CHECK(contains(done.err, "container does not exist"));
  const std::string text = bundle.read("log.json");
  const Json line = Json::parse(split(text, '\n').at(0));
  CHECK(line.at("level") == "error");
  CHECK(contains(line.at("msg").get<std::string>(), "container does not exist"));
  CHECK(line.at("time").get<std::string>().find('T') == 10);
}

TEST_CASE("a text log has logrus' form", "[A3][A14]") {
  Bundle bundle;
  const std::string log = bundle.dir() + "/log";
  run_command(
      {Hull::program(), "--root", bundle.dir() + "/state", "--log", log, "state", "absent"});
  const std::string text = bundle.read("log");
  CHECK(text.rfind("time=\"", 0) == 0);
  CHECK(contains(text, " level=error msg=\""));
}

TEST_CASE("the log goes to file:PATH, journald:IDENT or syslog:IDENT", "[A3]") {
  Bundle bundle;
  run_command({Hull::program(), "--log", "file:" + bundle.dir() + "/log", "state", "absent"});
  CHECK(contains(bundle.read("log"), "level=error"));

  // In a mount namespace of its own the test's socket stands where the host's would.
  Mailbox mailbox(bundle.dir() + "/log.sock");
  const auto log_to = [&](const std::string& target, const std::string& place) {
    const std::string directory = place.substr(0, place.rfind('/'));
    const std::string script = "mount -t tmpfs t " + place.substr(0, place.find('/', 1)) +
                               " && mkdir -p " + directory + " && ln -s " + mailbox.path() + " " +
                               place + " && exec " + Hull::program() + " --root " + bundle.dir() +
                               "/state --log " + target + " state absent";
    const Outcome done = run_command({"unshare", "--mount", "sh", "-c", script});
    INFO(done.err);
    CHECK(contains(done.err, "container does not exist"));
    return mailbox.receive();
  };
  CHECK(log_to("journald:box", "/run/systemd/journal/socket") ==
        "PRIORITY=3\nSYSLOG_IDENTIFIER=box\nMESSAGE=container does not exist\n");
  CHECK(contains(run_command({Hull::program(), "--log", "syslog:", "state", "absent"}).err,
                 exists("/dev/log") ? "container does not exist" : "/dev/log"));
}

TEST_CASE("an unknown log format is refused", "[A4]") {
  CHECK(run_command({Hull::program(), "--log-format", "xml", "list"}).exit_code == 1);
}

TEST_CASE("the state root must not be /", "[A6]") {
  CHECK(run_command({Hull::program(), "--root", "/", "list"}).exit_code ==
        (Hull::is_hull() ? 1 : 0));
}

TEST_CASE("--cgroup-manager disabled leaves the container in the caller's cgroups", "[A8]") {
  Bundle bundle;
  bundle.config["linux"].erase("resources");
  bundle.args({"/bin/sleep", "100"});
  bundle.remove_name_space("pid");
  Hull hull(bundle);
  bundle.save();
  const Outcome run = hull.command(
      {"--cgroup-manager", "disabled", "run", "-d", "--bundle", bundle.dir(), hull.id()});
  INFO(run.err);
  REQUIRE(run.exit_code == 0);
  CHECK(cgroups_with(hull.id()).empty());
  const auto cgroups = [](const std::string& pid) { return read_file("/proc/" + pid + "/cgroup"); };
  CHECK(cgroups(std::to_string(hull.pid())) == cgroups("self"));
  const Json state = Json::parse(read_file(hull.root() + "/" + hull.id() + "/state.json"));
  CHECK(state["cgroup_paths"].empty());
  // The other commands find out by themselves.
  CHECK(hull.inside("echo in") == "in");
  CHECK(contains(hull.command({"pause", hull.id()}).err, "cannot pause"));
  CHECK(hull.kill().exit_code == 0);
  CHECK(hull.reaches("stopped"));
  CHECK(hull.remove().exit_code == 0);

  bundle.config["linux"]["resources"]["pids"]["limit"] = 10;
  bundle.save();
  const Outcome refused =
      hull.command({"--cgroup-manager=disabled", "run", "--bundle", bundle.dir(), hull.id()});
  CHECK(refused.exit_code == 1);
  CHECK(contains(refused.err, "cgroups are disabled: no limit can be set"));
  CHECK(contains(refused.err, "/linux/resources/pids"));
  CHECK(contains(hull.command({"--cgroup-manager", "none", "list"}).err, "is not supported"));
}

TEST_CASE("--version names the program and the specification", "[A11]") {
  for (const char* flag : {"--version", "-v"}) {
    const Outcome done = run_command({Hull::program(), flag});
    CHECK(done.exit_code == 0);
    CHECK(contains(split(done.out, '\n').at(0), " version "));
    CHECK(contains(done.out, "\nspec: "));
  }
}

TEST_CASE("help is given for the program and for a command", "[A11]") {
  for (const std::vector<std::string>& words : std::vector<std::vector<std::string>>{
           {"--help"}, {"-h"}, {"help"}, {"help", "create"}, {"create", "--help"}}) {
    std::vector<std::string> argv = {Hull::program()};
    argv.insert(argv.end(), words.begin(), words.end());
    const Outcome done = run_command(argv);
    INFO(words.back());
    CHECK(done.exit_code == 0);
    CHECK(contains(done.out, "create"));
  }
}

TEST_CASE("a wrong number of arguments, an unknown command or flag is an error", "[A15]") {
  const Outcome few = run_command({Hull::program(), "create"});
  CHECK(few.exit_code == 1);
  CHECK(contains(few.err + few.out, "requires exactly 1 argument"));
  CHECK(run_command({Hull::program(), "state", "a", "b"}).exit_code == 1);
  CHECK(run_command({Hull::program(), "--no-such-flag", "list"}).exit_code == 1);
  CHECK(run_command({Hull::program(), "list", "--no-such-flag"}).exit_code == 1);
  CHECK(run_command({Hull::program(), "no-such-command"}).exit_code == 3);  // runc's number
}

TEST_CASE("list prints a table, JSON or bare IDs", "[B19]") {
  Bundle bundle;
  Hull hull(bundle);
  REQUIRE(hull.create().exit_code == 0);
  const Outcome table = hull.command({"list"});
  const auto lines = split(table.out, '\n');
  for (const char* column : {"ID", "PID", "STATUS", "BUNDLE", "CREATED", "OWNER"})
    CHECK(contains(lines.at(0), column));
  for (const std::string& part :
       {hull.id(), std::to_string(hull.pid()), std::string("created"), bundle.dir()})
    CHECK(contains(lines.at(1), part));

  const Json list = Json::parse(hull.command({"list", "--format", "json"}).out);
  REQUIRE(list.size() == 1);
  CHECK(list[0].at("id") == hull.id());
  CHECK(list[0].at("status") == "created");
  CHECK(list[0].at("bundle") == bundle.dir());
  CHECK(list[0].at("pid") == hull.pid());
  CHECK(list[0].at("owner") == "root");
  CHECK(hull.state().at("owner") == "");  // as runc has it

  CHECK(hull.command({"list", "--quiet"}).out == hull.id() + "\n");
  CHECK(hull.command({"list", "--format", "xml"}).exit_code == 1);
}

TEST_CASE("list of a state root that does not exist fails when it was asked for by name", "[B20]") {
  Bundle bundle;
  const std::string root = bundle.dir() + "/absent";
  CHECK(run_command({Hull::program(), "--root", root, "list"}).exit_code == 1);
  CHECK_FALSE(exists(root));
}

TEST_CASE("spec writes a configuration that runs, and never overwrites one", "[B38]") {
  Bundle bundle;
  const CommandOptions in_bundle{.dir = bundle.dir()};
  REQUIRE(run_command({Hull::program(), "spec"}, in_bundle).exit_code == 0);
  const Outcome again = run_command({Hull::program(), "spec"}, in_bundle);
  CHECK(again.exit_code == 1);
  CHECK(contains(again.err, "config.json exists"));

  bundle.config = Json::parse(bundle.read("config.json"));
  CHECK(bundle.config.at("process").at("terminal") == true);
  bundle.config["process"]["terminal"] = false;
  CHECK(output_of(bundle, "echo ok") == "ok");
}

TEST_CASE("spec --rootless writes user mappings and no network namespace", "[B38][I6]") {
  Bundle bundle;
  REQUIRE(
      run_command({Hull::program(), "spec", "--rootless", "--bundle", bundle.dir()}).exit_code ==
      0);
  const Json config = Json::parse(bundle.read("config.json"));
  CHECK(config.at("linux").at("uidMappings").at(0).at("containerID") == 0);
  CHECK(contains(config.at("linux").at("namespaces").dump(), "\"user\""));
}

TEST_CASE("features prints JSON with the range of supported versions", "[B46][H1][H2]") {
  const Outcome done = run_command({Hull::program(), "features"});
  REQUIRE(done.exit_code == 0);
  const Json features = Json::parse(done.out);
  CHECK(features.at("ociVersionMin").get<std::string>().rfind("1.0.", 0) == 0);
  CHECK(features.at("ociVersionMax").get<std::string>().rfind("1.", 0) == 0);
  CHECK(features.at("hooks").size() == 6);
  CHECK(contains(features.at("mountOptions").dump(), "\"rbind\""));
  CHECK(contains(features.at("linux").at("capabilities").dump(), "\"CAP_SYS_ADMIN\""));
}

TEST_CASE("errors of create and run have the words of runc", "[A14][C10]") {
  const auto error_of = [](const std::function<void(Json&)>& change) {
    Bundle bundle;
    change(bundle.config);
    return Hull(bundle).run().err;
  };
  const std::string failed = Hull::is_hull() ? "hull run failed: " : "runc run failed: ";
  CHECK(contains(error_of([](Json& c) { c["process"]["args"] = {"absent"}; }),
                 failed + "unable to start container process: error during container init: exec: "
                          "\\\"absent\\\": executable file not found in $PATH"));
  CHECK(contains(error_of([](Json& c) { c["process"]["args"] = Json::array(); }),
                 failed + "args must not be empty"));
  CHECK(contains(error_of([](Json& c) { c["process"]["cwd"] = ""; }),
                 failed + "Cwd property must not be empty"));
  CHECK(contains(error_of([](Json& c) { c["process"]["cwd"] = "tmp"; }),
                 failed + "Cwd must be an absolute path"));
  CHECK(contains(error_of([](Json& c) { c.erase("process"); }),
                 failed + "process property must not be empty"));
  CHECK(contains(error_of([](Json& c) {
                   c["linux"]["namespaces"].push_back({{"type", "pid"}});
                 }),
                 failed + "malformed spec file: duplicated ns"));
  CHECK(contains(error_of([](Json& c) {
                   std::erase_if(c["linux"]["namespaces"].get_ref<Json::array_t&>(),
                                 [](const Json& ns) { return ns.at("type") == "uts"; });
                 }),
                 failed + "unable to set hostname without a private UTS namespace"));
  CHECK(contains(error_of([](Json& c) {
                   c["mounts"].push_back({{"destination", "/x"},
                                          {"source", "/absent"},
                                          {"type", "bind"},
                                          {"options", {"bind"}}});
                 }),
                 "error mounting \\\"/absent\\\" to rootfs at \\\"/x\\\""));
}

TEST_CASE("an init that is out of memory before its program runs is told as such", "[C10]") {
  Bundle bundle;
  bundle.config["linux"]["resources"]["memory"] = {{"limit", 4096}};
  const Outcome done = Hull(bundle).run();
  INFO(done.err);
  CHECK(done.exit_code == 1);
  CHECK(contains(done.err, "container init was OOM-killed (memory limit too low?)"));
}

TEST_CASE("run.oci.seccomp_fail_unknown_syscall makes unknown names an error", "[E37]") {
  Bundle bundle;
  bundle.config["linux"]["seccomp"] = {
      {"defaultAction", "SCMP_ACT_ALLOW"},
      {"syscalls", {{{"names", {"mkdir", "no_such_call"}}, {"action", "SCMP_ACT_ERRNO"}}}}};
  CHECK(output_of(bundle, "echo ok") == "ok");
  bundle.config["annotations"]["run.oci.seccomp_fail_unknown_syscall"] = "1";
  const std::string refused = refusal_of(bundle);
  CHECK(contains(refused, "no_such_call"));
  CHECK(contains(refused, "/linux/seccomp/syscalls/0/names/1"));
  bundle.config["annotations"]["run.oci.seccomp_fail_unknown_syscall"] = "0";
  CHECK(output_of(bundle, "echo ok") == "ok");
}

TEST_CASE("an ID has letters, digits and _+-. only, and is neither . nor ..", "[B51]") {
  Bundle bundle;
  bundle.save();
  const std::string root = bundle.dir() + "/state";
  for (const std::string& id :
       {std::string("a/b"), std::string("."), std::string(".."), std::string("a b"),
        std::string(""), std::string("ä"), std::string("a\nb")}) {
    INFO("id " << id);
    CHECK(run_command({Hull::program(), "--root", root, "create", "--bundle", bundle.dir(), id})
              .exit_code == 1);
  }
  CHECK(processes_with(bundle.mark()).empty());
}

}  // namespace hull::conformance
