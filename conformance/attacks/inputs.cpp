// Inputs that are too long, endless, or not what they say.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>

#include "conformance/attacks/box.h"
#include "conformance/container/socket.h"
#include "libruntime/system/error.h"
#include "libruntime/system/files.h"

namespace hull::conformance {
namespace {

bool has(const std::string &text, const std::string &part) {
  return text.find(part) != std::string::npos;
}

// Messages between the runtime and its init whose length wraps.
void long_inputs(const Arena &arena) {
  Box box(arena);
  box.bundle.script("id -u");
  box.must_work("0");
  const Json before = box.bundle.config;
  const std::string text(70'000, 'x');
  box.bundle.name_space("ipc")["path"] = "/proc/" + text;
  if (box.attempt()) throw Breach{"a path of 70000 bytes is taken"};
  box.bundle.config = before;
  box.bundle.config["mounts"].push_back(
      {{"destination", "/mnt/" + text}, {"type", "tmpfs"}, {"source", "tmpfs"}});
  if (box.attempt()) throw Breach{"a destination of 70000 bytes is taken"};
  box.bundle.config = before;
  box.bundle.name_space("user");
  Json maps = Json::array();
  for (unsigned i = 0; i < 400; ++i)
    maps.push_back({{"containerID", 2 * i}, {"hostID", 100'000 + 2 * i}, {"size", 1}});
  box.bundle.config["linux"]["uidMappings"] = maps;
  box.bundle.config["linux"]["gidMappings"] = maps;
  if (box.attempt()) throw Breach{"400 ID mappings are taken, the kernel takes 340"};
  box.bundle.config = before;
  // The namespaces must be those of the config, however long the rest is.
  Json &mounts = box.bundle.config["mounts"];
  for (int i = 0; i < 700; ++i)
    mounts.push_back({{"destination", "/mnt/" + std::string(90, 'd')},
                      {"type", "tmpfs"},
                      {"source", std::string(90, 's')},
                      {"options", {"nosuid"}}});
  box.bundle.config["process"]["env"].push_back("LONG=" + std::string(100'000, 'x'));
  box.bundle.script("readlink /proc/self/ns/net");
  std::array<char, 64> host{};
  const ssize_t length = readlink("/proc/self/ns/net", host.data(), host.size());
  const auto out = box.attempt();
  if (out && length > 0 && has(*out, std::string(host.data(), static_cast<size_t>(length))))
    throw Breach{"the container is in the host's network namespace"};
}

// The image's /etc/passwd, in which the home directory of the user is looked
// up.
void endless_passwd(const Arena &arena) {
  Box box(arena);
  box.bundle.config["process"]["user"] = {{"uid", 1000}, {"gid", 1000}};
  box.bundle.script("echo home $HOME");
  box.must_work("home /home/user");
  const std::string passwd = box.bundle.rootfs("/etc/passwd");
  const auto in_time = [&](const char *what) {
    CommandOptions options;
    options.timeout = std::chrono::seconds(8);
    const Outcome done = box.run({}, options);
    if (done.exit_code == -1) throw Breach{std::string(what) + " hangs the runtime"};
    (void)Box::judged(done);
    box.tells_no_secret(done.out + done.err);
  };
  box.drop("/etc/passwd");
  if (mkfifo(passwd.c_str(), 0666) != 0) throw Error("making a FIFO", "mkfifo", errno);
  in_time("a FIFO as /etc/passwd");
  box.link("/dev/zero", "/etc/passwd");
  in_time("/dev/zero as /etc/passwd");
  box.link("/proc/kmsg", "/etc/passwd");
  in_time("/proc/kmsg as /etc/passwd");
  box.link("/proc/self/fd/0", "/etc/passwd");
  in_time("/proc/self/fd/0 as /etc/passwd");
  box.link(box.secret(), "/etc/passwd");
  in_time("a link to the host as /etc/passwd");
  box.put("/etc/passwd", "");
  if (truncate(passwd.c_str(), off_t{1} << 40) != 0)
    throw Error("making a file", "truncate", errno);
  in_time("a file of a terabyte as /etc/passwd");
  box.put("/etc/passwd", std::string(200'000, ':') + "\n" + std::string(200'000, '\n'));
  in_time("a long line in /etc/passwd");
}

// The same for exec with a user's number; runc and crun may look it up.
void exec_meets_endless_passwd(const Arena &arena) {
  Box box(arena);
  box.bundle.script("sleep 60");
  box.launch();
  const std::vector<std::string> args = {"echo", "works"};
  if (box.exec(args, {"--user", "1000"}).out != "works\n")
    throw Error("exec of the harmless twin fails");
  CommandOptions options;
  options.timeout = std::chrono::seconds(8);
  for (const char *name : {"/etc/passwd", "/etc/group"}) {
    box.drop(name);
    if (mkfifo(box.bundle.rootfs(name).c_str(), 0666) != 0)
      throw Error("making a FIFO", "mkfifo", errno);
  }
  if (box.exec(args, {"--user", "1000"}, options).exit_code == -1)
    throw Breach{"a FIFO as /etc/passwd hangs exec"};
  for (const char *name : {"/etc/passwd", "/etc/group"}) box.link("/dev/zero", name);
  if (box.exec(args, {"--user", "1000"}, options).exit_code == -1)
    throw Breach{"/dev/zero as /etc/passwd hangs exec"};
}

void ids_are_paths(const Arena &arena) {
  Box box(arena);
  box.bundle.script("true");
  box.must_work();
  const std::string root = box.bundle.dir() + "/state";
  for (const std::string &id : {std::string("../decoy/new"), std::string("a/b"), std::string("."),
                                std::string(".."), std::string(""), std::string("/tmp/x"),
                                std::string("a\nb"), std::string(2000, 'a'), std::string("a b")}) {
    for (const char *verb : {"create", "delete", "state", "kill", "pause"}) {
      std::vector<std::string> words = {verb};
      if (std::string(verb) == "create") words.insert(words.end(), {"--bundle", box.bundle.dir()});
      if (std::string(verb) == "delete") words.emplace_back("--force");
      words.push_back(id);
      const Outcome done = box.command(words);
      if (done.exit_code == 0 && std::string(verb) != "delete")
        throw Breach{std::string(verb) + " takes the ID \"" + id + "\""};
      (void)Box::judged(done);
    }
    box.decoy_is_untouched();
    if (!exists(root)) throw Breach{"the state root was removed by the ID \"" + id + "\""};
  }
}

// Something that the runtime did not make lies in its state root.
void state_is_link(const Arena &arena) {
  Box box(arena);
  box.bundle.script("sleep 60");
  box.launch();
  const std::string root = box.bundle.dir() + "/state";
  struct stat info {};
  if (stat((root + "/" + box.id()).c_str(), &info) != 0) throw Error("no state directory");
  if ((info.st_mode & 0066) != 0) throw Breach{"others may list or write the state directory"};
  box.remove();
  if (symlink(box.decoy().c_str(), (root + "/planted").c_str()) != 0)
    throw Error("making a link", "symlink", errno);
  (void)box.command({"delete", "--force", "planted"});
  (void)box.command({"state", "planted"});
  box.decoy_is_untouched();
  for (const std::string &text :
       {std::string("{}"), std::string("["), std::string(100'000, '['),
        R"({"id":"damaged","init_process_pid":1,"cgroup_paths":{"pids":"/"}})" + std::string(),
        R"({"id":"damaged","init_process_pid":-1,"cgroup_paths":{"pids":")" + box.decoy() +
            R"("},"intel_rdt_path":")" + box.decoy() + R"("})"}) {
    make_directories(root + "/damaged", 0700);
    write_file(root + "/damaged/state.json", text);
    write_file(root + "/damaged/status", text);
    write_file(root + "/damaged/config.json", text);
    (void)Box::judged(box.command({"list"}));
    (void)Box::judged(box.command({"state", "damaged"}));
    (void)Box::judged(box.command({"delete", "--force", "damaged"}));
    box.decoy_is_untouched();
  }
}

// The agent's descriptor of a profile that notifies must not reach the
// container.
void listener_stays_out(const Arena &arena) {
  Box box(arena);
  box.bundle.script("ls -l /proc/self/fd | grep -c seccomp; echo end");
  box.must_work("end");
  const Listener agent(box.bundle.dir() + "/agent");
  box.bundle.config["linux"]["seccomp"] = {
      {"defaultAction", "SCMP_ACT_ALLOW"},
      {"listenerPath", agent.path()},
      {"syscalls", {{{"names", {"acct"}}, {"action", "SCMP_ACT_NOTIFY"}}}}};
  const auto out = box.attempt();
  if (!out) throw NotApplicable{"no profile that notifies"};
  if (!has(*out, "0\nend")) throw Breach{"the program holds the listener: " + *out};
}

constexpr Attack kAttacks[] = {
    {"long", "CVE-2021-43784", "paths, mappings and mounts that are too long or too many",
     long_inputs},
    {"passwd", "", "a FIFO, a device, a link to the host or a huge file as /etc/passwd",
     endless_passwd},
    {"exec-passwd", "", "the same of exec", exec_meets_endless_passwd},
    {"ids", "", "IDs that are paths", ids_are_paths},
    {"state", "", "links and damaged files in the state root", state_is_link},
    {"notify", "", "the listener of a seccomp profile reaches the program", listener_stays_out},
};

}  // namespace

std::span<const Attack> input_attacks() { return kAttacks; }

}  // namespace hull::conformance
