#include <map>
#include <string_view>

#include "libruntime/resctrl/group.h"
#include "libruntime/system/text.h"

namespace hull::resctrl {
namespace {

// Resource -> domain -> value: "L3:0=ff;1=c0".
using Schemata = std::map<std::string_view, std::map<std::string_view, std::string_view>>;

// The kernel pads names with blanks and masks with zeros.
std::string_view without_zeros(std::string_view value) {
  const size_t first = value.find_first_not_of('0');
  return first == std::string_view::npos ? "0" : value.substr(first);
}

// Of what is said twice the last counts.
void read_line(std::string_view line, Schemata& out) {
  const size_t colon = line.find(':');
  if (colon == std::string_view::npos) return;
  auto& domains = out[trim(line.substr(0, colon))];
  for (const std::string_view entry : split(line.substr(colon + 1), ';')) {
    const size_t equals = entry.find('=');
    if (equals != std::string_view::npos)
      domains[trim(entry.substr(0, equals))] = without_zeros(trim(entry.substr(equals + 1)));
  }
}

}  // namespace

bool schemata_match(const std::string& is, const std::vector<std::string>& wanted) {
  Schemata has, wants;
  for (const std::string_view line : split(is, '\n')) read_line(line, has);
  for (const std::string& line : wanted) read_line(line, wants);
  for (const auto& [resource, domains] : wants) {
    const auto found = has.find(resource);
    if (found == has.end()) return false;
    for (const auto& [domain, value] : domains) {
      const auto own = found->second.find(domain);
      if (own == found->second.end() || own->second != value) return false;
    }
  }
  return true;
}

}  // namespace hull::resctrl
