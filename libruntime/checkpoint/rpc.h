#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "libruntime/checkpoint/wire.h"

// CRIU's RPC messages (criu's images/rpc.proto, criu.org/RPC).
namespace hull::checkpoint {

enum class RequestType : uint32_t {
  empty = 0,
  dump = 1,
  restore = 2,
  pre_dump = 4,
  notify = 6,
  feature_check = 9,
  version = 10,
};
// "DUMP"; a number when it is none of these.
std::string name_of(RequestType type);

// Fields of criu_opts.
enum OptionField : unsigned {
  kImagesDirFd = 1,
  kPid = 2,
  kLeaveRunning = 3,
  kExtUnixSk = 4,
  kTcpEstablished = 5,
  kEvasiveDevices = 6,
  kShellJob = 7,
  kFileLocks = 8,
  kLogLevel = 9,
  kLogFile = 10,
  kPageServer = 11,
  kNotifyScripts = 12,
  kRoot = 13,
  kParentImages = 14,
  kTrackMemory = 15,
  kAutoDedup = 16,
  kWorkDirFd = 17,
  kLinkRemap = 18,
  kExtMount = 23,
  kManageCgroups = 24,
  kCgroupRoot = 25,
  kRestoreSibling = 26,
  kInheritFd = 27,
  kManageCgroupsMode = 34,
  kExternal = 37,
  kEmptyNs = 38,
  kJoinNs = 39,
  kFreezeCgroup = 44,
  kTcpSkipInFlight = 46,
  kLazyPages = 48,
  kOrphanPtsMaster = 50,
  kConfigFile = 51,
  kTcpClose = 52,
  kLsmProfile = 53,
  kLsmMountContext = 63,
  kNetworkLock = 64,
};

// criu_opts, with its messages of several fields.
class RpcOptions : public WireWriter {
 public:
  void ext_mount(std::string_view key, std::string_view value);
  void cgroup_root(std::string_view controller, std::string_view path);
  void inherit_fd(std::string_view key, int fd);
  void join_namespace(std::string_view type, std::string_view file);
  void page_server(std::string_view address, int port);
};

struct Features {
  bool memory_tracking = false;
  bool lazy_pages = false;
};

std::string request(RequestType type, const RpcOptions& options);
// CRIU answers these two and waits for another request.
std::string version_request();
std::string feature_request(const Features& wanted);
// The answer to a notification.
std::string notify_answer(bool success);

struct Notification {
  std::string script;  // "network-lock", "post-restore"
  int pid = 0;         // of the restored init, where it comes with it
};

struct Response {
  RequestType type = RequestType::empty;
  bool success = false;
  int restored_pid = 0;
  std::optional<Notification> notification;
  int code = 0;         // an errno, or 0
  std::string message;  // the first error that CRIU logged
  Features features;
  int version = 0;  // 4.1.1 is 40101; of a development version the next release's
};

// Throws Error when the bytes are no response.
Response parse_response(std::string_view bytes);

}  // namespace hull::checkpoint
