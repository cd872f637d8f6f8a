#include "specconv/mount_id_mapping.h"

#include "libruntime/system/catch.h"
#include "libruntime/system/error.h"

namespace hull::specconv {
namespace {

std::string text_of(const std::vector<configs::IdMap>& maps) {
  std::string out;
  for (const configs::IdMap& map : maps)
    out += std::to_string(map.container_id) + "-" + std::to_string(map.host_id) + "-" +
           std::to_string(map.size) + " ";
  return out;
}

// The maps of a mount with this option in a container with two ranges of IDs.
configs::Mount mapped(const std::string& option, bool own_maps = false) {
  Linux container;
  container.uid_mappings = {{0, 1000, 1}, {1, 100'000, 1000}};
  container.gid_mappings = {{0, 2000, 10}};
  Mount in;
  in.options = {"bind", option};
  if (own_maps) in.uid_mappings = in.gid_mappings = {{7, 8, 9}};
  configs::Mount out;
  convert_id_mapping(in, container, out);
  return out;
}

std::string refusal_of(const std::string& option) {
  try {
    return text_of(mapped(option).uid_mappings);
  } catch (const Error& e) {
    return e.message();
  }
}

}  // namespace

TEST_CASE("an idmapped mount has its own maps, or the container's", "[specconv]") {
  CHECK(text_of(mapped("idmap").uid_mappings) == "0-1000-1 1-100000-1000 ");
  CHECK(text_of(mapped("ridmap").gid_mappings) == "0-2000-10 ");
  CHECK(text_of(mapped("idmap", true).uid_mappings) == "7-8-9 ");
  CHECK(text_of(mapped("ro", true).gid_mappings) == "7-8-9 ");
  CHECK_FALSE(mapped("ro").idmapped());
  CHECK_FALSE(mapped("idmap").idmap_recursive);
  CHECK(mapped("ridmap").idmap_recursive);
}

TEST_CASE("maps can stand in the option, absolute or from the container's IDs", "[specconv]") {
  const configs::Mount plain = mapped("idmap=uids=0-1-10#10-11-10;gids=0-100-10");
  CHECK(text_of(plain.uid_mappings) == "0-1-10 10-11-10 ");
  CHECK(text_of(plain.gid_mappings) == "0-100-10 ");
  CHECK_FALSE(plain.idmap_recursive);
  const configs::Mount relative = mapped("ridmap=gids=@3-1-2;uids=@1-3-10#20-30-1");
  CHECK(text_of(relative.uid_mappings) == "1-100002-10 20-30-1 ");
  CHECK(text_of(relative.gid_mappings) == "3-2001-2 ");
  CHECK(relative.idmap_recursive);
}

TEST_CASE("maps that the container's ranges tear apart are no guess", "[specconv]") {
  for (const char* range : {"@0-0-2", "@1000-0-2", "@5000-0-1", "@1-4294967295-1"})
    CHECK(refusal_of("idmap=uids=" + std::string(range) + ";gids=0-0-1").find("are not in one") !=
          std::string::npos);
}

TEST_CASE("a map that is none is refused", "[specconv]") {
  for (const char* maps : {"", "uids", "uids=", "uids=1-2-3", "uids=1-2-3;gids=1-2", "x=1-2-3",
                           "uids=1-2-3;gids=1-2-3;", "uids=1-2-3#;gids=1-2-3",
                           "uids=-1-2-3;gids=1-2-3", "uids=1-2-3;gids=4294967296-2-3"}) {
    INFO(maps);
    CHECK(refusal_of("idmap=" + std::string(maps)).starts_with("invalid option \"idmap="));
  }
}

}  // namespace hull::specconv
