#include <optional>

#include "specconv/annotations.h"
#include "specconv/convert_parts.h"
#include "specconv/parse_parts.h"

namespace hull::specconv {
namespace {

// Reads the annotation's list of objects.
template <class T>
void read_annotation(const std::map<std::string, std::string>& annotations, const char* key,
                     void (*read_one)(const Node&, T&), std::vector<T>& out) {
  const auto found = annotations.find(key);
  if (found == annotations.end()) return;
  const std::string name(key);
  std::optional<Document> document;
  try {
    document.emplace("{\"annotations\":{\"" + name + "\":" + found->second + "}}");
  } catch (Error& e) {
    e.set_field("/annotations/" + name);
    throw;
  }
  Problems problems;
  const Node root = document->root(problems);
  const Node all = root.object("annotations");
  all.each(key, [&](const Node& one) { read_one(one, out.emplace_back()); });
  problems.throw_if_any();
}

}  // namespace

void convert_networks(const Spec& spec, configs::Config& out) {
  if (spec.annotations.empty()) return;
  read_annotation(spec.annotations, kNetworksAnnotation, read_network, out.networks);
  read_annotation(spec.annotations, kRoutesAnnotation, read_route, out.routes);
}

}  // namespace hull::specconv
