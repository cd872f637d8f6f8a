#include "libruntime/cgroups/stat_files.h"

#include <dirent.h>

#include <cerrno>
#include <memory>

#include "libruntime/system/error.h"
#include "libruntime/system/files.h"
#include "libruntime/system/text.h"

namespace hull::cgroups {
namespace {

// "key=value".
template <class T>
T assigned(std::string_view word, T when_max = T{}) {
  const std::string_view value = word.substr(word.find('=') + 1);
  if (value == "max") return when_max;
  return parse_number<T>(value).value_or(T{});
}

Pressure::Line parse_pressure_line(std::string_view line) {
  Pressure::Line out;
  for (const std::string_view word : split(line, ' ')) {
    if (word.starts_with("avg10=")) out.avg10 = assigned<double>(word);
    if (word.starts_with("avg60=")) out.avg60 = assigned<double>(word);
    if (word.starts_with("avg300=")) out.avg300 = assigned<double>(word);
    if (word.starts_with("total=")) out.total = assigned<uint64_t>(word);
  }
  return out;
}

}  // namespace

std::string read_stat_file(const std::string& dir, std::string_view file) {
  try {
    return read_file_if_exists(dir + "/" + std::string(file)).value_or("");
  } catch (const Error& e) {
    if (e.code() == EOPNOTSUPP || e.code() == ENODEV) return "";
    throw;
  }
}

uint64_t read_stat_number(const std::string& dir, std::string_view file) {
  return parse_number<uint64_t>(trim(read_stat_file(dir, file))).value_or(0);
}

uint64_t read_stat_limit(const std::string& dir, std::string_view file) {
  const std::string text = read_stat_file(dir, file);
  if (trim(text) == "max") return UINT64_MAX;
  return parse_number<uint64_t>(trim(text)).value_or(0);
}

std::map<std::string, uint64_t> parse_flat(std::string_view text) {
  std::map<std::string, uint64_t> out;
  for (const std::string_view line : split(text, '\n')) {
    const size_t space = line.find(' ');
    if (space == std::string_view::npos) continue;
    if (const auto value = parse_number<uint64_t>(trim(line.substr(space + 1))))
      out.emplace(line.substr(0, space), *value);
  }
  return out;
}

uint64_t value_of(const std::map<std::string, uint64_t>& flat, const std::string& key) {
  const auto found = flat.find(key);
  return found == flat.end() ? 0 : found->second;
}

std::vector<uint64_t> parse_numbers(std::string_view text) {
  std::vector<uint64_t> out;
  for (const std::string_view word : split(trim(text), ' '))
    if (const auto number = parse_number<uint64_t>(word)) out.push_back(*number);
  return out;
}

std::vector<unsigned> parse_list(std::string_view text) {
  constexpr unsigned kMost = 1 << 16;  // more than any kernel has
  std::vector<unsigned> out;
  for (const std::string_view range : split(trim(text), ',')) {
    const size_t dash = range.find('-');
    const auto first = parse_number<unsigned>(range.substr(0, dash));
    const auto last =
        dash == std::string_view::npos ? first : parse_number<unsigned>(range.substr(dash + 1));
    if (!first || !last || *last > kMost) continue;
    for (unsigned i = *first; i <= *last; ++i) out.push_back(i);
  }
  return out;
}

std::vector<BlockEntry> parse_block_lines(std::string_view text) {
  std::vector<BlockEntry> out;
  for (const std::string_view line : split(text, '\n')) {
    const auto words = split(trim(line), ' ');
    const auto numbers = split(words[0], ':');
    if (words.size() < 2 || words.size() > 3 || numbers.size() != 2) continue;
    const auto value = parse_number<uint64_t>(words.back());
    const auto major = parse_number<uint64_t>(numbers[0]);
    const auto minor = parse_number<uint64_t>(numbers[1]);
    if (!value || !major || !minor) continue;
    out.push_back({*major, *minor, words.size() == 3 ? std::string(words[1]) : "", *value});
  }
  return out;
}

std::optional<Pressure> parse_pressure(std::string_view text) {
  Pressure out;
  bool found = false;
  for (const std::string_view line : split(text, '\n')) {
    if (line.starts_with("some ")) out.some = parse_pressure_line(line);
    if (line.starts_with("full ")) out.full = parse_pressure_line(line);
    found = found || line.starts_with("some ");
  }
  if (!found) return std::nullopt;
  return out;
}

std::vector<RdmaEntry> parse_rdma(std::string_view text) {
  std::vector<RdmaEntry> out;
  for (const std::string_view line : split(text, '\n')) {
    const auto words = split(trim(line), ' ');
    if (words.size() < 2) continue;
    RdmaEntry& one = out.emplace_back();
    one.device = words[0];
    for (const std::string_view word : words) {
      if (word.starts_with("hca_handle=")) one.hca_handles = assigned<uint32_t>(word, UINT32_MAX);
      if (word.starts_with("hca_object=")) one.hca_objects = assigned<uint32_t>(word, UINT32_MAX);
    }
  }
  return out;
}

std::vector<std::string> page_sizes(const std::vector<std::string>& names,
                                    std::string_view suffix) {
  constexpr std::string_view kPrefix = "hugetlb.";
  std::vector<std::string> out;
  for (const std::string_view name : names) {
    if (!name.starts_with(kPrefix)) continue;
    const std::string_view rest = name.substr(kPrefix.size());
    const size_t dot = rest.find('.');
    if (dot != std::string_view::npos && rest.substr(dot + 1) == suffix)
      out.emplace_back(rest.substr(0, dot));
  }
  return out;
}

std::vector<std::string> file_names(const std::string& dir) {
  std::vector<std::string> names;
  const std::unique_ptr<DIR, int (*)(DIR*)> list(opendir(dir.c_str()), closedir);
  if (!list) return names;  // gone
  while (const dirent* entry = readdir(list.get())) names.emplace_back(entry->d_name);
  return names;
}

void read_pids(const std::string& dir, PidsStats& out) {
  out.current = read_stat_number(dir, "pids.current");
  out.limit = read_stat_number(dir, "pids.max");
}

void read_rdma(const std::string& dir, Stats& out) {
  out.rdma_current = parse_rdma(read_stat_file(dir, "rdma.current"));
  out.rdma_limit = parse_rdma(read_stat_file(dir, "rdma.max"));
}

void read_misc(const std::string& dir, Stats& out) {
  for (const auto& [name, usage] : parse_flat(read_stat_file(dir, "misc.current")))
    out.misc[name].usage = usage;
  // "sev.max 3": how often the limit stood in the way.
  for (const auto& [name, count] : parse_flat(read_stat_file(dir, "misc.events")))
    if (name.ends_with(".max")) out.misc[name.substr(0, name.size() - 4)].events = count;
}

Stats read_stats(const std::map<std::string, std::string>& paths) {
  Stats out;
  read_v1_stats(paths, out);
  if (const auto unified = paths.find(""); unified != paths.end())
    read_v2_stats(unified->second, paths, out);
  return out;
}

}  // namespace hull::cgroups
