#include "libruntime/checkpoint/descriptors.h"

#include <sys/stat.h>
#include <sys/sysmacros.h>

#include <algorithm>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "libruntime/system/error.h"
#include "libruntime/system/files.h"
#include "libruntime/system/json.h"

namespace hull::checkpoint {
namespace {

using nlohmann::ordered_json;

constexpr char kStreams[] = "descriptors.json";
constexpr char kFiles[] = "files.json";
constexpr int kLastStream = 2;

// As CRIU calls a file of a mount that it does not know.
std::string file_name(int mount, ino_t inode) {
  char text[64];
  std::snprintf(text, sizeof text, "file[%x:%llx]", static_cast<unsigned>(mount),
                static_cast<unsigned long long>(inode));
  return text;
}

bool is_null_device(const struct stat& info) {
  return S_ISCHR(info.st_mode) && info.st_rdev == makedev(1, 3);
}

[[noreturn]] void throw_damaged() { throw Error("a file of the images is damaged"); }

rapidjson::GenericArray<true, JsonValue> list_of(const JsonText& text) {
  if (!text.root().IsArray()) throw_damaged();
  return text.root().GetArray();
}

ExternalFile read_file_entry(const JsonValue& entry) {
  if (!entry.IsObject()) throw_damaged();
  const JsonValue* name = find_member(entry, "name");
  const JsonValue* stream = find_member(entry, "stream");
  if (name == nullptr || !name->IsString() || stream == nullptr || !stream->IsInt() ||
      stream->GetInt() > kLastStream)
    throw_damaged();
  return {std::string(text_of(*name)), stream->GetInt()};
}

}  // namespace

std::vector<ExternalFile> find_external_files(const std::vector<pid_t>& processes,
                                              const ContainerMounts& mounts) {
  std::vector<ExternalFile> out;
  for (const pid_t pid : processes) {
    const std::string proc = "/proc/" + std::to_string(pid);
    for (int fd = 0; fd <= kLastStream; ++fd) {
      struct stat info {};
      if (stat((proc + "/fd/" + std::to_string(fd)).c_str(), &info) != 0) continue;
      const bool null = is_null_device(info);
      const bool init = pid == processes.front();
      if (!null && !(init && S_ISREG(info.st_mode))) continue;
      const int mount = mount_id(proc, fd);
      if (mount < 0 || mounts.by_id(mount) != nullptr) continue;
      ExternalFile file{file_name(mount, info.st_ino), null ? -1 : fd};
      const bool known = std::any_of(out.begin(), out.end(), [&](const ExternalFile& other) {
        return other.name == file.name;
      });
      if (!known) out.push_back(std::move(file));
    }
  }
  return out;
}

void write_descriptors(int images, const std::vector<std::string>& streams,
                       const std::vector<ExternalFile>& files) {
  replace_file_at(images, kStreams, ordered_json(streams).dump(), 0600);
  ordered_json list = ordered_json::array();
  for (const ExternalFile& file : files)
    list.push_back({{"name", file.name}, {"stream", file.stream}});
  replace_file_at(images, kFiles, list.dump(), 0600);
}

Descriptors read_descriptors(int images) {
  Descriptors out;
  try {
    const JsonText streams(read_file_at(images, kStreams));
    for (const JsonValue& one : list_of(streams)) {
      if (!one.IsString()) throw_damaged();
      out.streams.emplace_back(text_of(one));
    }
    const auto text = read_file_if_exists_at(images, kFiles);
    if (!text) return out;
    const JsonText files(*text);
    for (const JsonValue& one : list_of(files)) out.files.push_back(read_file_entry(one));
  } catch (Error& e) {
    e.set_stage("reading descriptors.json and files.json");
    throw;
  }
  return out;
}

}  // namespace hull::checkpoint
