#include "conformance/suite/scene.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <utility>

#include "conformance/suite/match.h"
#include "conformance/suite/needs.h"
#include "conformance/suite/patch.h"
#include "libruntime/system/error.h"
#include "libruntime/system/files.h"
#include "libruntime/system/text.h"

namespace hull::conformance {
namespace {

// Flags of unshare(1).
std::vector<std::string> unshare_flags(const Json& types) {
  std::vector<std::string> flags;
  for (const Json& type : types) {
    const auto name = type.get<std::string>();
    flags.push_back("--" + (name == "network" ? "net" : name));
  }
  return flags;
}

mode_t mode_of(const Json& file) {
  return file.is_object() && file.contains("mode") ? file.at("mode").get<mode_t>() : 0;
}

}  // namespace

Scene::Scene(const Case& one, const Runtime& runtime, std::string probe)
    : case_(one), runtime_(runtime), probe_(std::move(probe)), body_(one.body) {}

Result Scene::play() {
  const auto begin = std::chrono::steady_clock::now();
  result_.status = Status::kPassed;
  if (const std::string lack = what_lacks(case_.needs); !lack.empty()) {
    result_.status = Status::kSkipped;
    result_.reason = lack;
    return result_;
  }
  try {
    prepare();
    for (const Json& form : steps()) step(form);
    if (body_.contains("sees") && !body_.at("sees").is_null()) {
      std::string text;
      eventually([&] {
        text = terminal_                 ? text + read_until(terminal_, "}\r\n")
               : !terminal_text_.empty() ? terminal_text_
                                         : container_->out();
        return text.find("}\n") != std::string::npos || text.find("}\r\n") != std::string::npos;
      });
      check_probe(filled(body_.at("sees")), text);
    }
  } catch (const Failure&) {  // in the evidence already
  } catch (const std::exception& error) {
    result_.status = Status::kFailed;
    result_.reason = error.what();
  }
  if (bundle_) clean_up();
  if (!case_.pending.empty()) {
    result_.reason = case_.pending + (result_.status == Status::kPassed ? " (passes now)" : "");
    result_.status = Status::kPending;
  }
  result_.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  return result_;
}

// In this order, so that each may use what was made before it.
void Scene::prepare() {
  bundle_.emplace();
  id_ = bundle_->mark();
  root_ = bundle_->dir() + "/state";
  if (link(probe_.c_str(), bundle_->rootfs("/probe").c_str()) != 0 && errno == EXDEV)
    write_file(bundle_->rootfs("/probe"), read_file(probe_), 0755);
  if (body_.contains("neighbour")) start_neighbour();
  if (body_.contains("files")) write_files(filled(body_.at("files")));
  if (body_.contains("before")) host_script(filled(body_.at("before")));
  if (body_.contains("userns")) bundle_->user_namespace(body_.at("userns").get<unsigned>());
  if (body_.contains("caps"))
    bundle_->capabilities(body_.at("caps").get<std::vector<std::string>>());
  choose_program();
  if (body_.contains("hooks")) add_hooks(filled(body_.at("hooks")));
  if (body_.contains("config")) apply_patch(bundle_->config, filled(body_.at("config")));
  bundle_->save();
}

// "/path" is below the root file system, "path" in the bundle. A text is the content, null a
// directory, "!link TARGET" a symbolic link; {text, mode, owner} says more.
void Scene::write_files(const Json& files) {
  for (const auto& [name, file] : files.items()) {
    const std::string path = name[0] == '/' ? bundle_->rootfs(name) : bundle_->dir() + "/" + name;
    make_directories(path.substr(0, path.rfind('/')), 0755);
    if (file.is_object() && file.contains("!link")) {
      if (symlink(file.at("!link").get<std::string>().c_str(), path.c_str()) != 0)
        throw Error("making " + path, "symlink", errno);
      continue;
    }
    const bool directory = file.is_null() || (file.is_object() && !file.contains("text"));
    const mode_t mode = mode_of(file);
    if (directory)
      make_directories(path, 0755);
    else
      write_file(path, (file.is_object() ? file.at("text") : file).get<std::string>());
    if (mode != 0 && chmod(path.c_str(), mode) != 0)
      throw Error("changing " + path, "chmod", errno);
    if (file.is_object() && file.contains("owner")) {
      const auto owner = file.at("owner").get<uid_t>();
      if (lchown(path.c_str(), owner, owner) != 0) throw Error("changing " + path, "chown", errno);
    }
  }
}

void Scene::add_hooks(const Json& hooks) {
  for (const auto& [kind, scripts] : hooks.items())
    for (const Json& script : scripts.is_array() ? scripts : Json::array({scripts}))
      bundle_->hook(kind, script.get<std::string>());
}

// The container's process: a script, given words, the probe when something is to be seen, or a
// program that waits.
void Scene::choose_program() {
  if (body_.contains("sh"))
    bundle_->script(filled(body_.at("sh")).get<std::string>());
  else if (body_.contains("args"))
    bundle_->config["process"]["args"] = filled(body_.at("args"));
  else if (body_.contains("sees"))
    bundle_->args(probe_words(filled(body_.at("sees"))));
  else
    bundle_->args({"/bin/sleep", "1000"});
}

// A process with new namespaces, for containers to join: its pid is ${neighbour}.
void Scene::start_neighbour() {
  std::vector<std::string> argv = {"unshare", "--fork", "--kill-child"};
  const auto flags = unshare_flags(body_.at("neighbour"));
  argv.insert(argv.end(), flags.begin(), flags.end());
  argv.insert(argv.end(), {"sh", "-c", "echo ready; exec sleep 1000"});
  neighbour_ = std::make_unique<Process>(argv);
  if (!eventually([&] { return neighbour_->out() == "ready\n"; }))
    throw Error("no neighbour: " + neighbour_->err());
  if (std::find(flags.begin(), flags.end(), "--user") == flags.end()) return;
  for (const char* map : {"/uid_map", "/gid_map"})
    write_existing("/proc/" + value_of("neighbour").dump() + map, "0 0 65536");
}

Json Scene::value_of(const std::string& variable) {
  if (variable == "id") return id_;
  if (variable == "bundle") return bundle_->dir();
  if (variable == "rootfs") return bundle_->rootfs();
  if (variable == "root") return root_;
  if (variable == "runtime") return runtime_.path;
  if (variable == "cgroup") return "/" + id_;
  if (variable == "pid") return pid();
  if (variable == "neighbour") {
    const std::string parent = std::to_string(neighbour_->pid());
    const std::string children = read_file("/proc/" + parent + "/task/" + parent + "/children");
    return parse_number<pid_t>(trim(children)).value();
  }
  if (variable == "socket") {
    if (!listener_) listener_ = std::make_unique<Listener>(bundle_->dir() + "/socket");
    return listener_->path();
  }
  if (variable.starts_with("file:"))
    return std::string(trim(read_file(bundle_->dir() + "/" + variable.substr(5))));
  return Json::value_t::discarded;
}

Json Scene::filled(const Json& text) {
  return substitute(text, [this](const std::string& name) { return value_of(name); });
}

Json Scene::steps() const {
  if (body_.contains("steps")) return body_.at("steps");
  if (body_.contains("refused"))
    return Json::array({{{"create", nullptr}, {"fails", body_.at("refused")}}, {{"gone", true}}});
  if (body_.contains("cgroup")) return Json::array({"create", {{"cgroup", body_.at("cgroup")}}});
  Json run = {{"run", nullptr}};
  for (const char* option : {"exit", "out", "err"})
    if (body_.contains(option)) run[option] = body_.at(option);
  return Json::array({run});
}

}  // namespace hull::conformance
