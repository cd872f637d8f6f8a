#pragma once

#include <cstdint>
#include <cstring>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "libruntime/system/fd.h"

// As much of rtnetlink(7) as this room needs. libnl-route would do it too, but its
// constructors run in every process that has it linked in, and it pulls in name services that a
// static program can't have.
namespace hull::network {

// A request: type, the family's own header, attributes.
class Request {
 public:
  template <class Header>
  Request(uint16_t type, uint16_t flags, const Header& header) : Request(type, flags) {
    append(&header, sizeof header);
  }
  void attribute(uint16_t type, const void* data, size_t size);
  template <class T>
  void attribute(uint16_t type, T number) {
    attribute(type, &number, sizeof number);
  }
  void attribute(uint16_t type, const std::string& text) {
    attribute(type, text.c_str(), text.size() + 1);
  }
  // An attribute made of attributes: all that is added before its end, which takes what begin gave.
  size_t begin(uint16_t type);
  void end(size_t begun);
  // A family's header within an attribute.
  template <class Header>
  void inner_header(const Header& header) {
    append(&header, sizeof header);
  }

 private:
  friend class Rtnetlink;
  Request(uint16_t type, uint16_t flags);
  void append(const void* data, size_t size);
  std::string bytes_;
};

// One object of an answer, for instance an ifinfomsg and its attributes.
class Reply {
 public:
  explicit Reply(std::string_view body) : body_(body) {}
  template <class Header>
  [[nodiscard]] Header header() const {
    Header out{};
    if (body_.size() >= sizeof out) std::memcpy(&out, body_.data(), sizeof out);
    return out;
  }
  // The content of the attribute; nothing when there is none. `header_size`: of the family's.
  [[nodiscard]] std::optional<std::string_view> attribute(size_t header_size, uint16_t type) const;

 private:
  std::string_view body_;
};

// A socket to the kernel's network configuration. Every call throws Error; its code is the kernel's
// answer.
class Rtnetlink {
 public:
  // For the network namespace of the calling thread.
  Rtnetlink();
  // For another one, which the calling thread enters for a moment.
  explicit Rtnetlink(int net_namespace);

  // Sends a request; returns when the kernel has acknowledged it.
  void change(Request& request);
  // Sends one that asks for objects and hands each to `take`.
  void read(Request& request, const std::function<void(const Reply&)>& take);

 private:
  void send(Request& request);
  Fd socket_;
  uint32_t sequence_ = 0;
};

}  // namespace hull::network
