#include "libruntime/checkpoint/rpc.h"

#include <array>

namespace hull::checkpoint {
namespace {

// Fields of criu_req and criu_resp. The small messages' fields stand where they are used.
enum RequestField : unsigned {
  kType = 1,
  kOptions = 2,
  kNotifySuccess = 3,
  kKeepOpen = 4,
  kFeatures = 5
};
enum ResponseField : unsigned {
  kSuccess = 2,
  kRestore = 4,
  kNotify = 5,
  kErrno = 7,
  kResponseFeatures = 8,
  kErrorMessage = 9,
  kVersion = 10
};
enum FeatureField : unsigned { kMemoryTracking = 1, kLazyPagesFeature = 2 };

struct TypeName {
  RequestType type;
  std::string_view name;
};
constexpr std::array kTypeNames{
    TypeName{RequestType::empty, "EMPTY"},
    TypeName{RequestType::dump, "DUMP"},
    TypeName{RequestType::restore, "RESTORE"},
    TypeName{RequestType::pre_dump, "PRE_DUMP"},
    TypeName{RequestType::notify, "NOTIFY"},
    TypeName{RequestType::feature_check, "FEATURE_CHECK"},
    TypeName{RequestType::version, "VERSION"},
};

WireWriter request_of(RequestType type) {
  WireWriter out;
  out.number(kType, static_cast<int64_t>(type));
  return out;
}

template <class Take>
void for_each_field(std::string_view message, Take take) {
  WireReader reader(message);
  for (WireField field; reader.next(field);) take(field);
}

Notification parse_notification(std::string_view message) {
  Notification out;
  for_each_field(message, [&](const WireField& field) {
    if (field.number == 1) out.script = field.bytes;
    if (field.number == 2) out.pid = static_cast<int>(field.value);
  });
  return out;
}

Features parse_features(std::string_view message) {
  Features out;
  for_each_field(message, [&](const WireField& field) {
    if (field.number == kMemoryTracking) out.memory_tracking = field.value != 0;
    if (field.number == kLazyPagesFeature) out.lazy_pages = field.value != 0;
  });
  return out;
}

int parse_version(std::string_view message) {
  enum Field : unsigned { kMajor = 1, kMinor = 2, kGitId = 3, kSublevel = 4 };
  uint64_t number = 0;
  bool development = false;
  for_each_field(message, [&](const WireField& field) {
    const auto value = static_cast<uint64_t>(field.value);
    if (field.number == kMajor) number += value * 10'000;
    if (field.number == kMinor) number += value * 100;
    if (field.number == kSublevel) number += value;
    if (field.number == kGitId && !field.bytes.empty()) development = true;
  });
  if (development) number += 100 - number % 100;
  return static_cast<int>(number);
}

// Many of CRIU's messages are a text and what belongs to it.
WireWriter pair_of(std::string_view first, std::string_view second) {
  WireWriter out;
  out.bytes(1, first);
  out.bytes(2, second);
  return out;
}

WireWriter pair_of(std::string_view first, int second) {
  WireWriter out;
  out.bytes(1, first);
  out.number(2, second);
  return out;
}

}  // namespace

std::string name_of(RequestType type) {
  for (const TypeName& row : kTypeNames)
    if (row.type == type) return std::string(row.name);
  return std::to_string(static_cast<uint32_t>(type));
}

void RpcOptions::ext_mount(std::string_view key, std::string_view value) {
  message(kExtMount, pair_of(key, value));
}

void RpcOptions::cgroup_root(std::string_view controller, std::string_view path) {
  message(kCgroupRoot, pair_of(controller, path));
}

void RpcOptions::inherit_fd(std::string_view key, int fd) { message(kInheritFd, pair_of(key, fd)); }

void RpcOptions::join_namespace(std::string_view type, std::string_view file) {
  message(kJoinNs, pair_of(type, file));
}

void RpcOptions::page_server(std::string_view address, int port) {
  message(kPageServer, pair_of(address, port));
}

std::string request(RequestType type, const RpcOptions& options) {
  WireWriter out = request_of(type);
  out.message(kOptions, options);
  return out.text();
}

std::string version_request() {
  WireWriter out = request_of(RequestType::version);
  out.number(kKeepOpen, 1);
  return out.text();
}

std::string feature_request(const Features& wanted) {
  WireWriter features;
  features.number(kMemoryTracking, wanted.memory_tracking ? 1 : 0);
  features.number(kLazyPagesFeature, wanted.lazy_pages ? 1 : 0);
  WireWriter out = request_of(RequestType::feature_check);
  out.number(kKeepOpen, 1);
  out.message(kFeatures, features);
  return out.text();
}

std::string notify_answer(bool success) {
  WireWriter out = request_of(RequestType::notify);
  out.number(kNotifySuccess, success ? 1 : 0);
  return out.text();
}

Response parse_response(std::string_view bytes) {
  Response out;
  for_each_field(bytes, [&](const WireField& field) {
    switch (field.number) {
      case kType:
        out.type = static_cast<RequestType>(field.value);
        break;
      case kSuccess:
        out.success = field.value != 0;
        break;
      case kRestore:
        for_each_field(field.bytes, [&](const WireField& inner) {
          if (inner.number == 1) out.restored_pid = static_cast<int>(inner.value);
        });
        break;
      case kNotify:
        out.notification = parse_notification(field.bytes);
        break;
      case kErrno:
        out.code = static_cast<int>(field.value);
        break;
      case kResponseFeatures:
        out.features = parse_features(field.bytes);
        break;
      case kErrorMessage:
        out.message = field.bytes;
        break;
      case kVersion:
        out.version = parse_version(field.bytes);
        break;
      default:
        break;
    }
  });
  return out;
}

}  // namespace hull::checkpoint
