#include <fcntl.h>
#include <unistd.h>

#include <csignal>
#include <utility>

#include "conformance/suite/match.h"
#include "conformance/suite/scene.h"
#include "libruntime/system/error.h"
#include "libruntime/system/files.h"
#include "libruntime/system/text.h"

namespace hull::conformance {
namespace {

// What a page shows of an output.
std::string shortened(const std::string& text) {
  constexpr size_t kMost = 3000;
  return text.size() <= kMost ? text : text.substr(0, kMost) + "…";
}

std::string without_newline(std::string text) {
  while (!text.empty() && (text.back() == '\n' || text.back() == '\r')) text.pop_back();
  return text;
}

std::vector<std::string> texts_at(const Json& form, const char* key) {
  std::vector<std::string> texts;
  if (form.contains(key))
    for (const Json& text : form.at(key))
      texts.push_back(text.is_string() ? text.get<std::string>() : text.dump());
  return texts;
}

std::string joined(const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& word : words) text += (text.empty() ? "" : " ") + word;
  return text;
}

}  // namespace

// "RUNTIME GLOBAL... --root ROOT COMMAND FLAGS... REST". Options of a step: global, flags, env,
// input, fds (how many beyond 0, 1, 2 are open).
Outcome Scene::runtime_command(const std::vector<std::string>& words, const Json& form) {
  std::vector<std::string> argv = {runtime_.path};
  for (const std::string& word : texts_at(form, "global")) argv.push_back(word);
  argv.insert(argv.end(), {"--root", root_});
  if (!words.empty()) argv.push_back(words[0]);
  for (const std::string& flag : texts_at(form, "flags")) argv.push_back(flag);
  if (!words.empty()) argv.insert(argv.end(), words.begin() + 1, words.end());

  CommandOptions options;
  options.env = texts_at(form, "env");
  options.dir = bundle_->dir();
  if (form.contains("input")) options.input = form.at("input").get<std::string>();
  std::vector<Fd> more;
  for (int i = 0; form.contains("fds") && i < form.at("fds").get<int>(); ++i) {
    more.push_back(open_or_throw(AT_FDCWD, bundle_->dir() + "/config.json", O_RDONLY));
    options.fds.emplace_back(more.back().get(), 3 + i);
  }
  Pty pty;
  const bool on_terminal = !words.empty() && words[0] == "run" && texts_at(form, "flags").empty() &&
                           bundle_->config.at("process").value("terminal", false);
  if (on_terminal || form.contains("terminal")) {
    pty = open_pty();
    options.terminal = pty.slave.get();
  }
  auto process = std::make_unique<Process>(argv, options);
  std::string shown;
  if (options.terminal >= 0) {
    pty.slave.reset();
    shown = read_until(pty.master, "\x04 never");
  }
  Outcome outcome = process->wait();
  if (options.terminal >= 0) outcome.out = shown;
  result_.evidence.push_back({{"did", joined(argv)},
                              {"exit", outcome.exit_code},
                              {"out", shortened(outcome.out)},
                              {"err", shortened(outcome.err)}});
  if (!words.empty() && (words[0] == "create" || words[0] == "run")) {
    terminal_text_ = shown;
    container_ = std::move(process);
  }
  return outcome;
}

// A step's `exit` (0), `fails`, `out`, `err`.
void Scene::judge(const Outcome& outcome, const Json& form) {
  if (form.contains("fails")) {
    check("exit status", Json{{"!not", 0}}, outcome.exit_code);
    check("ends by itself", Json{{"!not", -1}}, outcome.exit_code);
    if (form.at("fails").is_string())
      check("message", Json{{"!re", form.at("fails")}}, outcome.err);
  } else {
    const Json wanted = form.value("exit", Json(0));
    check("exit status", wanted, outcome.exit_code);
  }
  if (form.contains("out")) check("stdout", form.at("out"), without_newline(outcome.out));
  if (form.contains("err")) check("stderr", form.at("err"), without_newline(outcome.err));
}

void Scene::check(const std::string& of, const Json& wanted, const Json& seen, const Json& host) {
  const auto found = differences(wanted, seen, host);
  Json line = {{"of", of}, {"wanted", wanted}, {"seen", seen}, {"ok", found.empty()}};
  if (asks_for_host(wanted)) line["host"] = host;
  result_.evidence.push_back(std::move(line));
  if (found.empty()) return;
  result_.status = Status::kFailed;
  if (result_.reason.empty())
    result_.reason = of + (found[0].at.empty() ? "" : " " + found[0].at) + ": wanted " +
                     found[0].wanted.dump() + ", seen " + shortened(found[0].seen.dump());
  throw Failure();
}

void Scene::check_probe(const Json& wanted, const std::string& text) {
  const Json seen = Json::parse(text, nullptr, false);
  Json host;
  if (asks_for_host(wanted)) {
    std::vector<std::string> argv = probe_words(wanted);
    argv[0] = probe_;
    host = Json::parse(run_command(argv).out);
  }
  check("the probe", wanted, seen.is_discarded() ? Json(text) : seen, host);
}

// "/probe TOPIC[:KEY]..." for all that is expected.
std::vector<std::string> Scene::probe_words(const Json& wanted) const {
  std::vector<std::string> words = {"/probe"};
  for (const auto& [topic, inner] : wanted.items()) {
    words.push_back(topic);
    if (inner.is_object())
      for (const auto& [key, value] : inner.items())
        if (!key.starts_with("!")) words.push_back(topic + ":" + key);
  }
  return words;
}

std::string Scene::status() {
  const Outcome told = run_command({runtime_.path, "--root", root_, "state", id_});
  const Json state = Json::parse(told.out, nullptr, false);
  return state.is_object() ? state.value("status", "") : "";
}

pid_t Scene::pid() {
  const Outcome told = run_command({runtime_.path, "--root", root_, "state", id_});
  return Json::parse(told.out).at("pid").get<pid_t>();
}

void Scene::host_script(const Json& script) {
  CommandOptions options;
  options.dir = bundle_->dir();
  options.env = {"MARK=" + bundle_->mark()};
  const Outcome done = run_command({"/bin/sh", "-ec", script.get<std::string>()}, options);
  if (done.exit_code != 0)
    throw Error("the case's own script failed: " + script.get<std::string>() + "\n" + done.err);
}

// Deletes what a case left on purpose, then looks for what nobody owns any more.
void Scene::clean_up() {
  listener_.reset();
  terminal_.reset();
  try {
    if (exists(root_))
      for (const std::string& id : {id_, id_ + "b"})
        if (exists(root_ + "/" + id))
          run_command({runtime_.path, "--root", root_, "delete", "--force", id});
    container_.reset();
    neighbour_.reset();
    if (body_.contains("after")) host_script(filled(body_.at("after")));
    eventually([&] { return processes_with(bundle_->mark()).empty(); },
               std::chrono::milliseconds(2000));
    const Json left = {{"processes", processes_with(bundle_->mark()).size()},
                       {"mounts", mounts_with(bundle_->mark())},
                       {"cgroups", cgroups_with(id_)},
                       {"state", exists(root_ + "/" + id_)}};
    // So that a failed case does not spoil the next.
    for (const pid_t pid : processes_with(bundle_->mark())) ::kill(pid, SIGKILL);
    for (const std::string& path : cgroups_with(id_)) rmdir(path.c_str());
    const Json nothing = {
        {"processes", 0}, {"mounts", Json::array()}, {"cgroups", Json::array()}, {"state", false}};
    check("left behind", nothing, left);
  } catch (const Failure&) {  // in the evidence
  } catch (const std::exception& error) {
    result_.status = Status::kFailed;
    if (result_.reason.empty()) result_.reason = std::string("cleaning up: ") + error.what();
  }
  reap_orphans();
  bundle_.reset();
}

}  // namespace hull::conformance
