#include "cmd/hull/options.h"

#include "libruntime/system/catch.h"

namespace hull::cmd {
namespace {

constexpr Option kTable[] = {
    {"bundle", "b", OptionKind::text, "a path", "."},
    {"detach", "d", OptionKind::flag, "leave"},
    {"env", "e", OptionKind::list, "a variable"},
    {"preserve-fds", "", OptionKind::number, "a count", "0"},
};

// Options hold views into their words.
struct Line {
  std::vector<std::string> words;
  std::vector<char*> pointers;
  Options options;
};

Line parse(std::vector<std::string> words, Positionals positionals = Positionals::mixed) {
  Line out{std::move(words), {}, {}};
  for (std::string& word : out.words) out.pointers.push_back(word.data());
  out.options = Options::parse(kTable, out.pointers, positionals);
  return out;
}

std::string refusal(std::vector<std::string> words) {
  try {
    parse(std::move(words));
  } catch (const UsageError& error) {
    return error.what();
  }
  return "none";
}

using Words = std::vector<std::string>;

}  // namespace

TEST_CASE("an option takes one or two dashes, its value after '=' or as the next word") {
  const Line line = parse({"-bundle=/a", "--preserve-fds", "3", "--b", "/c", "ID"});
  CHECK(line.options.text("bundle") == "/c");
  CHECK(line.options.number("preserve-fds") == 3);
  CHECK(line.options.positionals() == Words{"ID"});
}

TEST_CASE("an option that is not given answers with its default") {
  const Line line = parse({});
  CHECK(line.options.text("bundle") == ".");
  CHECK(line.options.number("preserve-fds") == 0);
  CHECK_FALSE(line.options.flag("detach"));
  CHECK_FALSE(line.options.given("bundle"));
  CHECK(line.options.list("env").empty());
}

TEST_CASE("a flag needs no value and takes no word for one") {
  const Line line = parse({"-d", "false"});
  CHECK(line.options.flag("detach"));
  CHECK(line.options.positionals() == Words{"false"});
  CHECK_FALSE(parse({"-d", "--detach=false"}).options.flag("detach"));
  CHECK(parse({"--detach=T"}).options.flag("detach"));
}

TEST_CASE("an option that needs a value takes the next word even when it looks like an option") {
  CHECK(parse({"--bundle", "-d"}).options.text("bundle") == "-d");
  CHECK(parse({"--bundle="}).options.text("bundle").empty());
}

TEST_CASE("repeated options are all kept, and commas do not split them") {
  const Line line = parse({"-e", "A=1,B=2", "--env=C==", "-e", ""});
  CHECK(line.options.list("env") == Words{"A=1,B=2", "C==", ""});
}

TEST_CASE("the first positional ends the options of a command that runs another program") {
  const Line line = parse({"-d", "ID", "sh", "-c", "-d", "--", "x"}, Positionals::end_options);
  CHECK(line.options.positionals() == Words{"ID", "sh", "-c", "-d", "--", "x"});
}

TEST_CASE("other commands take known options after the positional and leave unknown ones") {
  const Line line = parse({"ID", "-d", "-9", "--bundle", "/x"});
  CHECK(line.options.flag("detach"));
  CHECK(line.options.text("bundle") == "/x");
  CHECK(line.options.positionals() == Words{"ID", "-9"});
}

TEST_CASE("two dashes end the options") {
  CHECK(parse({"--", "-d", "--"}).options.positionals() == Words{"-d", "--"});
}

TEST_CASE("a single dash is a positional") {
  CHECK(parse({"-"}).options.positionals() == Words{"-"});
}

TEST_CASE("help is part of every table") {
  CHECK(parse({"-h"}).options.help());
  CHECK(parse({"--help"}).options.help());
  CHECK_FALSE(parse({"--help=false"}).options.help());
}

TEST_CASE("wrong command lines are refused in Go's words") {
  CHECK(refusal({"--nope=1"}) == "flag provided but not defined: -nope");
  CHECK(refusal({"-bundle"}) == "flag needs an argument: -bundle");
  CHECK(refusal({"-b"}) == "flag needs an argument: -b");
  CHECK(refusal({"--detach=maybe"}) == "invalid boolean value \"maybe\" for -detach: parse error");
  CHECK(refusal({"--preserve-fds=x"}) == "invalid value \"x\" for flag -preserve-fds: parse error");
  CHECK(refusal({"--preserve-fds=1x"}) ==
        "invalid value \"1x\" for flag -preserve-fds: parse error");
  CHECK(refusal({"---bundle"}) == "bad flag syntax: ---bundle");
  CHECK(refusal({"-=x"}) == "bad flag syntax: -=x");
}

}  // namespace hull::cmd
