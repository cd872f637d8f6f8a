#include "specconv/problem.h"

#include <algorithm>

#include "libruntime/system/error.h"

namespace hull::specconv {
namespace {

constexpr size_t kMaxListed = 20;

}  // namespace

void Problems::throw_if_any() const {
  if (all_.empty()) return;
  if (all_.size() == 1) throw Error(all_[0].text).field(all_[0].pointer);
  std::string message = std::to_string(all_.size()) + " errors: ";
  const size_t listed = std::min(all_.size(), kMaxListed);
  for (size_t i = 0; i < listed; ++i) {
    if (i != 0) message += "; ";
    message += (all_[i].pointer.empty() ? "/" : all_[i].pointer) + ": " + all_[i].text;
  }
  if (listed < all_.size()) message += "; and " + std::to_string(all_.size() - listed) + " more";
  throw Error(std::move(message));
}

std::string pointer_part(std::string_view key) {
  std::string out = "/";
  for (const char c : key) {
    if (c == '~') {
      out += "~0";
    } else if (c == '/') {
      out += "~1";
    } else {
      out += c;
    }
  }
  return out;
}

}  // namespace hull::specconv
