#include "libruntime/cgroups/bus.h"

#include <dbus/dbus.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <atomic>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <thread>

#include "libruntime/cgroups/units.h"
#include "libruntime/system/catch.h"

using hull::Error;
using hull::Fd;
using hull::cgroups::Bus;
using hull::cgroups::BusError;
using hull::cgroups::BusMessage;
using hull::cgroups::BusOwner;
using hull::cgroups::socket_of_address;
using std::chrono::milliseconds;

namespace {

// A bus of one connection, in a thread of this process, that answers as the test wants.
class FakeBus {
 public:
  // Gets each message but Hello and AddMatch; what it returns is sent, in this order.
  using Answer = std::function<std::vector<BusMessage>(DBusMessage*)>;

  explicit FakeBus(Answer answer, std::string greeting = "DATA\r\nOK 1234\r\n")
      : answer_(std::move(answer)), greeting_(std::move(greeting)) {
    char dir[] = "/tmp/hull-bus-XXXXXX";
    REQUIRE(mkdtemp(dir) != nullptr);
    dir_ = dir;
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::strcpy(address.sun_path, (dir_ + "/bus").c_str());
    listener_.reset(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    REQUIRE(bind(listener_.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) == 0);
    REQUIRE(listen(listener_.get(), 1) == 0);
    setenv("DBUS_SYSTEM_BUS_ADDRESS", ("unix:path=" + dir_ + "/bus").c_str(), 1);
    thread_ = std::thread([this] { serve(); });
  }
  ~FakeBus() {
    stop_ = true;
    thread_.join();
    unsetenv("DBUS_SYSTEM_BUS_ADDRESS");
    unlink((dir_ + "/bus").c_str());
    rmdir(dir_.c_str());
  }
  FakeBus(const FakeBus&) = delete;
  FakeBus& operator=(const FakeBus&) = delete;

 private:
  bool readable(int fd) {
    while (!stop_) {
      pollfd one{fd, POLLIN, 0};
      if (poll(&one, 1, 20) > 0) return true;
    }
    return false;
  }

  void send_message(int fd, DBusMessage* message) {
    char* data = nullptr;
    int size = 0;
    dbus_message_set_serial(message, ++serial_);
    dbus_message_marshal(message, &data, &size);
    (void)!write(fd, data, static_cast<size_t>(size));
    dbus_free(data);
  }

  void serve() {
    if (!readable(listener_.get())) return;
    const Fd peer(accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC));
    (void)!write(peer.get(), greeting_.data(), greeting_.size());
    std::string in;
    bool begun = false;
    while (readable(peer.get())) {
      char buffer[4096];
      const ssize_t got = read(peer.get(), buffer, sizeof buffer);
      if (got <= 0) return;
      in.append(buffer, static_cast<size_t>(got));
      const size_t begin = in.find("BEGIN\r\n");
      if (!begun && begin == std::string::npos) continue;
      if (!begun) in.erase(0, begin + 7);
      begun = true;
      if (!serve_messages(peer.get(), in)) return;
    }
  }

  bool serve_messages(int fd, std::string& in) {
    for (;;) {
      const int needed =
          dbus_message_demarshal_bytes_needed(in.data(), static_cast<int>(in.size()));
      if (needed <= 0 || static_cast<size_t>(needed) > in.size()) return true;
      const BusMessage message(dbus_message_demarshal(in.data(), needed, nullptr));
      in.erase(0, static_cast<size_t>(needed));
      const std::string member = dbus_message_get_member(message.get());
      if (member == "Hello" || member == "AddMatch") continue;
      if (!answer_) return false;  // hangs up
      for (const BusMessage& one : answer_(message.get())) send_message(fd, one.get());
    }
  }

  Answer answer_;
  std::string greeting_;
  std::string dir_;
  Fd listener_;
  uint32_t serial_ = 0;
  std::atomic<bool> stop_ = false;
  std::thread thread_;
};

BusMessage job_answer(DBusMessage* call, const char* job) {
  BusMessage out(dbus_message_new_method_return(call));
  dbus_message_append_args(out.get(), DBUS_TYPE_OBJECT_PATH, &job, DBUS_TYPE_INVALID);
  return out;
}

BusMessage job_removed(const char* job, const char* unit, const char* result) {
  BusMessage out(dbus_message_new_signal("/org/freedesktop/systemd1",
                                         "org.freedesktop.systemd1.Manager", "JobRemoved"));
  const dbus_uint32_t id = 1;
  dbus_message_append_args(out.get(), DBUS_TYPE_UINT32, &id, DBUS_TYPE_OBJECT_PATH, &job,
                           DBUS_TYPE_STRING, &unit, DBUS_TYPE_STRING, &result, DBUS_TYPE_INVALID);
  return out;
}

template <class... Messages>
std::vector<BusMessage> list(Messages... messages) {
  std::vector<BusMessage> out;
  (out.push_back(std::move(messages)), ...);
  return out;
}

std::string error_of(const std::function<void()>& action) {
  try {
    action();
  } catch (const Error& e) {
    return e.what();
  }
  return "";
}

void start(Bus& bus) {
  hull::cgroups::start_transient_unit(bus, "a-b.scope", {{"Delegate", true}});
}

constexpr char kJob[] = "/org/freedesktop/systemd1/job/7";

}  // namespace

TEST_CASE("the socket of a D-Bus address", "[cgroups][systemd]") {
  CHECK(socket_of_address("unix:path=/run/x,guid=1") == "/run/x");
  CHECK(socket_of_address("tcp:host=a;unix:guid=1,path=/a%20b%2Cc") == "/a b,c");
  CHECK(socket_of_address("unix:abstract=/tmp/d") == std::string("\0/tmp/d", 7));
  CHECK(socket_of_address("tcp:host=a").empty());
  CHECK(socket_of_address("").empty());
}

TEST_CASE("a unit is started when its job is done, also if that news comes first",
          "[cgroups][systemd][L63]") {
  const bool news_first = GENERATE(false, true);
  const FakeBus fake([&](DBusMessage* call) {
    BusMessage other = job_removed("/org/freedesktop/systemd1/job/6", "x.scope", "failed");
    BusMessage mine = job_removed(kJob, "a-b.scope", "done");
    BusMessage answer = job_answer(call, kJob);
    return news_first ? list(std::move(other), std::move(mine), std::move(answer))
                      : list(std::move(answer), std::move(other), std::move(mine));
  });
  Bus bus(BusOwner::system, milliseconds(2000));
  CHECK_NOTHROW(start(bus));
}

TEST_CASE("an error tells the unit, the job and its result", "[cgroups][systemd]") {
  std::string calls;
  const FakeBus fake([&](DBusMessage* call) {
    calls += std::string(dbus_message_get_member(call)) + " ";
    if (calls == "StartTransientUnit ")
      return list(job_answer(call, kJob), job_removed(kJob, "a-b.scope", "timeout"));
    return list(BusMessage(dbus_message_new_method_return(call)));
  });
  Bus bus(BusOwner::system, milliseconds(2000));
  CHECK(error_of([&] { start(bus); }) ==
        "systemd could not start unit \"a-b.scope\": the result of job "
        "\"/org/freedesktop/systemd1/job/7\" is \"timeout\"");
  CHECK(calls == "StartTransientUnit ResetFailedUnit ");
}

TEST_CASE("the bus's own error has its name", "[cgroups][systemd]") {
  const FakeBus fake([](DBusMessage* call) {
    return list(BusMessage(
        dbus_message_new_error(call, "org.freedesktop.systemd1.UnitExists", "Unit is there.")));
  });
  Bus bus(BusOwner::system, milliseconds(2000));
  try {
    start(bus);
    FAIL("it must throw");
  } catch (const BusError& e) {
    CHECK(e.name() == hull::cgroups::kUnitExists);
    CHECK(e.message() == "Unit is there. (org.freedesktop.systemd1.UnitExists)");
  }
}

TEST_CASE("a bus that says nothing is not waited for longer than the limit", "[cgroups][systemd]") {
  const auto began = std::chrono::steady_clock::now();
  SECTION("to the authentication") {
    const FakeBus fake([](DBusMessage*) { return list(); }, "");
    Bus bus(BusOwner::system, milliseconds(200));
    CHECK(error_of([&] { start(bus); }).find("no answer to StartTransientUnit") == 0);
  }
  SECTION("to the call") {
    const FakeBus fake([](DBusMessage*) { return list(); });
    Bus bus(BusOwner::system, milliseconds(200));
    CHECK(error_of([&] { start(bus); }).find("no answer to StartTransientUnit") == 0);
  }
  SECTION("of the job") {
    const FakeBus fake([](DBusMessage* call) { return list(job_answer(call, kJob)); });
    Bus bus(BusOwner::system, milliseconds(200));
    CHECK(error_of([&] { start(bus); })
              .find("systemd did not finish job \"/org/freedesktop/systemd1/job/7\" of unit "
                    "\"a-b.scope\"") == 0);
  }
  CHECK(std::chrono::steady_clock::now() - began < std::chrono::seconds(10));
}

TEST_CASE("a bus that refuses, hangs up or talks nonsense is an error", "[cgroups][systemd]") {
  const auto answer = [](DBusMessage*) { return list(); };
  const auto error = [](const FakeBus&) {
    Bus bus(BusOwner::system, milliseconds(2000));
    return error_of([&] { start(bus); });
  };
  CHECK(error(FakeBus(answer, "REJECTED EXTERNAL\r\n")).find("lets us not in") !=
        std::string::npos);
  CHECK(error(FakeBus(answer, "OK 1\r\n" + std::string(64, 'x'))).find("no D-Bus message") !=
        std::string::npos);
  CHECK(error(FakeBus(nullptr)).find("closed the connection") != std::string::npos);
}

TEST_CASE("a unit that is gone is stopped", "[cgroups][systemd]") {
  const FakeBus fake([](DBusMessage* call) {
    return list(BusMessage(
        dbus_message_new_error(call, "org.freedesktop.systemd1.NoSuchUnit", "not loaded")));
  });
  Bus bus(BusOwner::system, milliseconds(2000));
  CHECK_NOTHROW(hull::cgroups::stop_unit(bus, "a.scope"));
}

TEST_CASE("systemd's version is the first number in its text", "[cgroups][systemd]") {
  CHECK(hull::cgroups::version_number("257.13-1~deb13u1") == 257);
  CHECK(hull::cgroups::version_number("v252") == 252);
  CHECK(hull::cgroups::version_number("") == 0);
}
