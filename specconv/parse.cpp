#include "specconv/parse.h"

#include "specconv/names.h"
#include "specconv/parse_parts.h"

namespace hull::specconv {
namespace {

void read_mount(const Node& node, Mount& out) {
  node.require({"destination"});
  node.read("destination", out.destination);
  node.read("type", out.type);
  node.read("source", out.source);
  node.read("options", out.options);
  read_id_maps(node, "uidMappings", out.uid_mappings);
  read_id_maps(node, "gidMappings", out.gid_mappings);
}

void read_hook(const Node& node, Hook& out) {
  node.require({"path"});
  node.read("path", out.path);
  node.read("args", out.args);
  node.read("env", out.env);
  node.read("timeout", out.timeout);
}

void read_hooks(const Node& node, Hooks& out) {
  std::vector<Hook>* const lists[] = {&out.prestart,         &out.create_runtime,
                                      &out.create_container, &out.start_container,
                                      &out.poststart,        &out.poststop};
  static_assert(std::size(lists) == kHookNames.size());
  for (size_t i = 0; i < kHookNames.size(); ++i) {
    node.each(kHookNames[i], [&](const Node& hook) { read_hook(hook, lists[i]->emplace_back()); });
  }
}

// config.md#platform-specific-configuration: without Linux's part but with another's it is meant
// for that one, and would run here without any of what it asks for.
void check_platform(const Node& node) {
  if (node.member("linux").present()) return;
  for (const char* other : {"freebsd", "solaris", "windows", "zos"})
    if (node.member(other).present())
      node.problem(other, "the configuration is for this platform, not for Linux");
}

void read_spec(const Node& node, Spec& out) {
  node.require({"ociVersion"});
  node.read("ociVersion", out.oci_version);
  if (const Node root = node.object("root"); root.present()) {
    root.require({"path"});
    root.read("path", out.root.path);
    root.read("readonly", out.root.readonly);
  } else {
    node.problem("root", "root must be specified");
  }
  if (const Node process = node.object("process"); process.present())
    read_process(process, out.process.emplace());
  node.read("hostname", out.hostname);
  node.read("domainname", out.domainname);
  node.each("mounts", [&](const Node& mount) { read_mount(mount, out.mounts.emplace_back()); });
  if (const Node hooks = node.object("hooks"); hooks.present()) read_hooks(hooks, out.hooks);
  node.read("annotations", out.annotations);
  if (const Node part = node.object("linux"); part.present()) read_linux(part, out.linux_part);
  check_platform(node);
}

template <class T, class Read>
T parse_text(std::string_view text, Read read, Problems& problems) {
  const Document document(text);
  T out;
  if (const Node root = document.root(problems); root.present()) read(root, out);
  return out;
}

template <class T, class Read>
T parse_text(std::string_view text, Read read) {
  Problems problems;
  T out = parse_text<T>(text, read, problems);
  problems.throw_if_any();
  return out;
}

}  // namespace

Spec parse(std::string_view json_text) { return parse_text<Spec>(json_text, read_spec); }

Spec parse(std::string_view json_text, Problems& problems) {
  return parse_text<Spec>(json_text, read_spec, problems);
}

Process parse_process(std::string_view json_text) {
  return parse_text<Process>(json_text, read_process);
}

Resources parse_resources(std::string_view json_text) {
  return parse_text<Resources>(json_text, read_resources);
}

}  // namespace hull::specconv
