#include "libruntime/cgroups/device_rules.h"

#include "libruntime/system/catch.h"
#include "libruntime/system/error.h"

namespace hull::cgroups {
namespace {

using configs::DeviceRule;
using Rules = std::vector<DeviceRule>;

const DeviceRule kDenyAll{'a', -1, -1, "rwm", false};
const DeviceRule kAllowAll{'a', -1, -1, "rwm", true};

std::vector<std::string> lines(const std::vector<DeviceWrite>& writes) {
  std::vector<std::string> out;
  for (const DeviceWrite& one : writes) out.push_back((one.allow ? "+" : "-") + one.line);
  return out;
}

using Lines = std::vector<std::string>;

TEST_CASE("without any device rule everything is denied") {
  CHECK(lines(device_writes(device_list({}))) == Lines{"-a"});
  CHECK_FALSE(allows_everything({}));
}

TEST_CASE("allowed devices become exceptions, one line each, in their order", "[L52]") {
  const Rules rules{
      kDenyAll, {'c', -1, -1, "m", true}, {'c', 1, 3, "rwm", true}, {'b', 8, 0, "r", true}};
  CHECK(lines(device_writes(device_list(rules))) ==
        Lines{"-a", "+c *:* m", "+c 1:3 rwm", "+b 8:0 r"});
}

TEST_CASE("the last rule about all devices makes those before it void") {
  const Rules rules{{'c', 1, 3, "rwm", true}, kAllowAll, {'c', 1, 11, "w", false}};
  CHECK(lines(device_writes(device_list(rules))) == Lines{"+a", "-c 1:11 w"});
  CHECK_FALSE(allows_everything(rules));
  CHECK(allows_everything({kDenyAll, kAllowAll, {'c', 1, 3, "rwm", true}}));
}

TEST_CASE("letters of one device add up and can be taken away") {
  const Rules rules{
      kDenyAll, {'c', 1, 3, "r", true}, {'c', 1, 3, "wm", true}, {'c', 1, 3, "m", false}};
  CHECK(lines(device_writes(device_list(rules))) == Lines{"-a", "+c 1:3 rw"});
}

TEST_CASE("a rule for all types with some letters speaks about both types") {
  CHECK(lines(device_writes(device_list({kDenyAll, {'a', -1, -1, "m", true}}))) ==
        Lines{"-a", "+b *:* m", "+c *:* m"});
}

TEST_CASE("a wide denial takes narrower permissions away, which the kernel itself would ignore") {
  const Rules rules{kDenyAll, {'c', 1, 3, "rwm", true}, {'c', 1, -1, "w", false}};
  CHECK(lines(device_writes(device_list(rules))) == Lines{"-a", "+c 1:3 rm"});
}

TEST_CASE("a hole in a wider rule is an error, for v1 would silently ignore it") {
  CHECK_THROWS_AS(device_list({kDenyAll, {'c', 1, -1, "rwm", true}, {'c', 1, 3, "w", false}}),
                  Error);
  CHECK_THROWS_AS(device_list({kDenyAll, {'c', 1, -1, "r", true}, {'c', -1, 3, "r", false}}),
                  Error);
  CHECK_THROWS_AS(device_list({kAllowAll, {'c', 1, -1, "r", false}, {'c', 1, 3, "r", true}}),
                  Error);
  CHECK_NOTHROW(device_list({kDenyAll, {'c', 1, -1, "r", true}, {'c', 1, 3, "w", false}}));
  CHECK_NOTHROW(device_list({kDenyAll, {'c', 1, -1, "rwm", true}, {'b', 1, 3, "w", false}}));
}

TEST_CASE("reading and writing that two rules give are put into one line") {
  const Rules rules{
      kDenyAll, {'c', 1, -1, "r", true}, {'c', 1, 3, "w", true}, {'c', -1, 5, "w", true}};
  CHECK(lines(device_writes(device_list(rules))) ==
        Lines{"-a", "+c 1:* r", "+c 1:3 rw", "+c *:5 w", "+c 1:5 rw"});
}

TEST_CASE("the content of devices.list is understood") {
  CHECK(parse_device_list("a *:* rwm\n").allow_by_default);
  const DeviceList list = parse_device_list("b *:* m\nc 136:* rwm\nc 1:3 r\n");
  CHECK_FALSE(list.allow_by_default);
  CHECK(list.exceptions == std::vector<DeviceException>{{'b', -1, -1, kDeviceMknod},
                                                        {'c', 136, -1, kDeviceAll},
                                                        {'c', 1, 3, kDeviceRead}});
  CHECK(parse_device_list("").exceptions.empty());
}

TEST_CASE("a transition touches only what differs") {
  const DeviceList current = parse_device_list("c 1:3 rwm\nc 1:5 rw\nc 1:7 rwm\n");
  const DeviceList target = device_list(
      {kDenyAll, {'c', 1, 3, "rwm", true}, {'c', 1, 5, "r", true}, {'c', 1, 9, "r", true}});
  CHECK(lines(device_transition(current, target)) == Lines{"-c 1:5 w", "-c 1:7 rwm", "+c 1:9 r"});
  CHECK(lines(device_transition(parse_device_list("a *:* rwm"), target)).front() == "-a");
}

}  // namespace
}  // namespace hull::cgroups
