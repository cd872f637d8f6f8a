// The specification's own samples of config.json, where they are at hand.
#include <dirent.h>

#include <algorithm>

#include "libruntime/system/catch.h"
#include "libruntime/system/error.h"
#include "libruntime/system/files.h"
#include "specconv/parse.h"
#include "specconv/validate.h"

namespace hull::specconv {
namespace {

const std::string kFolder = HULL_SHARED_DATA "/oci-schema/test/config/";

std::vector<std::string> samples(const std::string& kind) {
  std::vector<std::string> out;
  DIR* dir = opendir((kFolder + kind).c_str());
  if (dir == nullptr) return out;
  while (const dirent* entry = readdir(dir))
    if (std::string_view(entry->d_name).ends_with(".json")) out.emplace_back(entry->d_name);
  closedir(dir);
  std::sort(out.begin(), out.end());
  return out;
}

// "": accepted.
std::string error_of(const std::string& sample) {
  try {
    validate(parse(read_file(kFolder + sample)));
    return {};
  } catch (const Error& e) {
    return e.what();
  }
}

}  // namespace

TEST_CASE("the specification's good samples for Linux are accepted, those for others are not",
          "[samples]") {
  const std::vector<std::string> names = samples("good");
  if (names.empty()) HULL_SKIP("the specification's samples are not here");
  for (const std::string& name : names) {
    const std::string error = error_of("good/" + name);
    INFO(name << ": " << error);
    if (name.starts_with("freebsd") || name.starts_with("zos"))
      CHECK_THAT(error, hull::testing::contains("not for Linux"));
    else if (name == "linux-netdevice.json")  // right by the schema; but whose network is it?
      CHECK_THAT(error, hull::testing::contains("/linux/netDevices"));
    else
      CHECK(error == "");
  }
}

TEST_CASE("the specification's bad samples are refused", "[samples]") {
  const std::vector<std::string> names = samples("bad");
  if (names.empty()) HULL_SKIP("the specification's samples are not here");
  for (const std::string& name : names) {
    INFO(name);
    CHECK(error_of("bad/" + name) != "");
  }
}

}  // namespace hull::specconv
