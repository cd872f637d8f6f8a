#include "cmd/hull/options.h"

#include <algorithm>
#include <optional>

#include "libruntime/system/error.h"
#include "libruntime/system/text.h"

namespace hull::cmd {
namespace {

std::optional<bool> go_bool(std::string_view text) {
  for (const std::string_view yes : {"1", "t", "T", "true", "TRUE", "True"})
    if (text == yes) return true;
  for (const std::string_view no : {"0", "f", "F", "false", "FALSE", "False"})
    if (text == no) return false;
  return std::nullopt;
}

bool is_option(std::string_view word) { return word.size() > 1 && word[0] == '-'; }

constexpr Option kHelp{"help", "h", OptionKind::flag, "show help"};

}  // namespace

bool parse_bool(std::string_view text) {
  if (const auto value = go_bool(text)) return *value;
  throw std::invalid_argument("invalid boolean value " + quote(text));
}

Options Options::parse(std::span<const Option> table, std::span<char* const> args,
                       Positionals positionals) {
  Options out;
  out.table_ = table;
  bool options_ended = false;
  for (size_t i = 0; i < args.size(); ++i) {
    const std::string_view word = args[i];
    if (!options_ended && word == "--") {
      options_ended = true;
    } else if (options_ended || !is_option(word)) {
      out.positionals_.emplace_back(word);
      if (positionals == Positionals::end_options) options_ended = true;
    } else if (!out.take(args, i)) {
      const std::string_view name = word.substr(word.starts_with("--") ? 2 : 1);
      if (out.positionals_.empty())
        throw UsageError("flag provided but not defined: -" +
                         std::string(name.substr(0, name.find('='))));
      out.positionals_.emplace_back(word);
    }
  }
  return out;
}

bool Options::take(std::span<char* const> args, size_t& i) {
  const std::string_view word = args[i];
  std::string_view name = word.substr(word.starts_with("--") ? 2 : 1);
  if (name.empty() || name[0] == '-' || name[0] == '=')
    throw UsageError("bad flag syntax: " + std::string(word));
  const size_t equals = name.find('=');
  const std::optional<std::string_view> value =
      equals == std::string_view::npos ? std::nullopt : std::optional(name.substr(equals + 1));
  name = name.substr(0, equals);

  const auto known = std::find_if(table_.begin(), table_.end(),
                                  [&](const Option& option) { return option.is_called(name); });
  const Option* option = known != table_.end() ? &*known : nullptr;
  if (option == nullptr && kHelp.is_called(name)) option = &kHelp;
  if (option == nullptr) return false;

  if (value) {
    take_value(*option, name, *value);
  } else if (option->kind == OptionKind::flag) {
    take_value(*option, name, "true");
  } else if (i + 1 < args.size()) {
    take_value(*option, name, args[++i]);
  } else {
    throw UsageError("flag needs an argument: -" + std::string(name));
  }
  return true;
}

void Options::take_value(const Option& option, std::string_view called, std::string_view value) {
  if (option.kind == OptionKind::flag && !go_bool(value))
    throw UsageError("invalid boolean value " + quote(value) + " for -" + std::string(called) +
                     ": parse error");
  if (option.kind == OptionKind::number && !parse_number<int64_t>(value))
    throw UsageError("invalid value " + quote(value) + " for flag -" + std::string(called) +
                     ": parse error");
  if (&option == &kHelp)
    help_ = *go_bool(value);
  else
    given_.push_back({&option, value});
}

const Options::Given* Options::last(std::string_view name) const {
  const auto found = std::find_if(given_.rbegin(), given_.rend(),
                                  [&](const Given& one) { return one.option->name == name; });
  return found != given_.rend() ? &*found : nullptr;
}

std::string_view Options::fallback(std::string_view name) const {
  for (const Option& option : table_)
    if (option.name == name) return option.fallback;
  throw std::logic_error("no such option in the table: " + std::string(name));
}

bool Options::knows(std::string_view name) const {
  return std::any_of(table_.begin(), table_.end(),
                     [&](const Option& option) { return option.name == name; });
}

bool Options::flag(std::string_view name) const {
  const Given* one = last(name);
  return one != nullptr ? *go_bool(one->value) : fallback(name) == "true";
}

std::string Options::text(std::string_view name) const {
  const Given* one = last(name);
  return std::string(one != nullptr ? one->value : fallback(name));
}

int64_t Options::number(std::string_view name) const {
  const Given* one = last(name);
  return parse_number<int64_t>(one != nullptr ? one->value : fallback(name)).value_or(0);
}

std::vector<std::string> Options::list(std::string_view name) const {
  std::vector<std::string> out;
  for (const Given& one : given_)
    if (one.option->name == name) out.emplace_back(one.value);
  return out;
}

}  // namespace hull::cmd
