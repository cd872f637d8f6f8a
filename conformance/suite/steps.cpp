#include <csignal>
#include <utility>

#include "conformance/suite/match.h"
#include "conformance/suite/patch.h"
#include "conformance/suite/scene.h"
#include "libruntime/system/error.h"
#include "libruntime/system/files.h"
#include "libruntime/system/text.h"

namespace hull::conformance {
namespace {

std::vector<std::string> words_of(const Json& value) {
  std::vector<std::string> words;
  for (const Json& word : value)
    words.push_back(word.is_string() ? word.get<std::string>() : word.dump());
  return words;
}

std::string without_newline(std::string text) {
  if (!text.empty() && text.back() == '\n') text.pop_back();
  return text;
}

}  // namespace

Scene::Verb Scene::find_verb(const std::string& name) {
  static const std::vector<std::pair<std::string, Verb>> verbs = {
      {"create", &Scene::create},   {"run", &Scene::run},       {"start", &Scene::start},
      {"delete", &Scene::remove},   {"pause", &Scene::pause},   {"resume", &Scene::resume},
      {"kill", &Scene::kill},       {"state", &Scene::state},   {"exec", &Scene::exec},
      {"cli", &Scene::cli},         {"json", &Scene::json},     {"see", &Scene::see},
      {"wait", &Scene::wait},       {"sh", &Scene::sh},         {"files", &Scene::files},
      {"output", &Scene::output},   {"cgroup", &Scene::cgroup}, {"config", &Scene::config},
      {"receive", &Scene::receive}, {"gone", &Scene::gone},
  };
  for (const auto& [known, verb] : verbs)
    if (known == name) return verb;
  return nullptr;
}

// "VERB", or {VERB: ARGUMENT, OPTIONS...}.
void Scene::step(const Json& form) {
  if (form.is_string()) {
    step({{form.get<std::string>(), nullptr}});
    return;
  }
  for (const auto& [key, argument] : form.items())
    if (const Verb verb = find_verb(key)) {
      (this->*verb)(filled(argument), filled(form));
      return;
    }
  throw Error("no step: " + form.dump());
}

void Scene::create(const Json&, const Json& form) {
  judge(runtime_command({"create", "--bundle", bundle_->dir(), id_}, form), form);
}

void Scene::run(const Json&, const Json& form) {
  judge(runtime_command({"run", "--bundle", bundle_->dir(), id_}, form), form);
}

void Scene::start(const Json&, const Json& form) {
  judge(runtime_command({"start", id_}, form), form);
}

void Scene::remove(const Json&, const Json& form) {
  judge(runtime_command({"delete", id_}, form), form);
}

void Scene::pause(const Json&, const Json& form) {
  judge(runtime_command({"pause", id_}, form), form);
}

void Scene::resume(const Json&, const Json& form) {
  judge(runtime_command({"resume", id_}, form), form);
}

void Scene::kill(const Json& signal, const Json& form) {
  const std::string name = signal.is_string() ? signal.get<std::string>() : signal.dump();
  judge(runtime_command({"kill", id_, name}, form), form);
}

// What the runtime tells about the container, or that it fails.
void Scene::state(const Json& wanted, const Json& form) {
  const Outcome told = runtime_command({"state", id_}, form);
  judge(told, form);
  if (!wanted.is_null()) check("state", wanted, Json::parse(told.out, nullptr, false));
}

// Words, or a shell script.
void Scene::exec(const Json& args, const Json& form) {
  std::vector<std::string> words = {"exec"};
  if (form.contains("options"))
    for (const Json& option : form.at("options")) words.push_back(option.get<std::string>());
  words.push_back(id_);
  if (args.is_string())
    words.insert(words.end(), {"/bin/sh", "-c", args.get<std::string>()});
  else
    for (const std::string& word : words_of(args)) words.push_back(word);
  judge(runtime_command(words, form), form);
}

void Scene::cli(const Json& words, const Json& form) {
  judge(runtime_command(words_of(words), form), form);
}

// A command of the runtime that prints JSON: {json: WORDS, is: EXPECTATION}.
void Scene::json(const Json& words, const Json& form) {
  const Outcome told = runtime_command(words_of(words), form);
  judge(told, form);
  check("what it prints", form.at("is"), Json::parse(told.out, nullptr, false));
}

// The probe, executed in the running container.
void Scene::see(const Json& wanted, const Json& form) {
  std::vector<std::string> words = {"exec"};
  if (form.contains("options"))
    for (const Json& option : form.at("options")) words.push_back(option.get<std::string>());
  words.push_back(id_);
  for (const std::string& word : probe_words(wanted)) words.push_back(word);
  const Outcome told = runtime_command(words, form);
  judge(told, form);
  check_probe(wanted, told.out);
}

void Scene::wait(const Json& wanted, const Json&) {
  std::string seen;
  eventually([&] {
    seen = status();
    return seen == wanted;
  });
  check("status", wanted, seen);
}

void Scene::sh(const Json& script, const Json& form) {
  CommandOptions options;
  options.dir = bundle_->dir();
  options.env = {"MARK=" + bundle_->mark()};
  const Outcome done = run_command({"/bin/sh", "-c", script.get<std::string>()}, options);
  result_.evidence.push_back({{"did", "on the host: " + script.get<std::string>()},
                              {"exit", done.exit_code},
                              {"out", done.out},
                              {"err", done.err}});
  judge(done, form);
}

// Files of the bundle by their content; null: not there. What a container writes takes its time.
void Scene::files(const Json& wanted, const Json&) {
  Json seen = Json::object();
  eventually(
      [&] {
        for (const auto& [name, content] : wanted.items()) {
          const auto text = read_file_if_exists(name[0] == '/' ? bundle_->rootfs(name)
                                                               : bundle_->dir() + "/" + name);
          seen[name] = text ? Json(without_newline(*text)) : Json();
        }
        return differences(wanted, seen).empty();
      },
      std::chrono::milliseconds(2000));
  check("files", wanted, seen);
}

// Of the container, since its create or run.
void Scene::output(const Json& wanted, const Json&) {
  std::string text;
  eventually(
      [&] {
        text = without_newline(container_->out());
        return differences(wanted, text).empty();
      },
      std::chrono::milliseconds(2000));
  check("output", wanted, text);
}

// Files of the container's cgroup: "CONTROLLER/FILE".
void Scene::cgroup(const Json& wanted, const Json&) {
  Json seen = Json::object();
  for (const auto& [name, content] : wanted.items()) {
    const size_t slash = name.find('/');
    const auto text =
        read_file_if_exists(cgroup_of(pid(), name.substr(0, slash)) + name.substr(slash));
    const auto number = text ? parse_number<int64_t>(trim(*text)) : std::nullopt;
    seen[name] = !text                            ? Json()
                 : number && !content.is_string() ? Json(*number)
                                                  : Json(without_newline(*text));
  }
  check("cgroup", wanted, seen);
}

void Scene::config(const Json& patch, const Json&) {
  apply_patch(bundle_->config, patch);
  bundle_->save();
}

// What comes in at ${socket}: "console" keeps the terminal's master, "descriptor" is any; else the
// JSON is compared.
void Scene::receive(const Json& wanted, const Json&) {
  Received got = listener_->receive();
  check("a descriptor came along", true, got.fd.valid());
  if (wanted == "console")
    terminal_ = std::move(got.fd);
  else if (wanted != "descriptor")
    check("what was sent", wanted, Json::parse(got.text, nullptr, false));
}

// Nothing of the container is there: no state, processes, cgroups, mounts.
void Scene::gone(const Json&, const Json&) {
  check("state directory of the container", false, exists(root_ + "/" + id_));
  size_t processes = 0;
  eventually(
      [&] {
        processes = processes_with("/" + id_ + "\n").size();
        return processes == 0;
      },
      std::chrono::milliseconds(2000));
  check("processes of the container", 0, processes);
  check("cgroups of the container", Json::array(), cgroups_with(id_));
  check("mounts of the container", Json::array(), mounts_with(root_));
}

}  // namespace hull::conformance
