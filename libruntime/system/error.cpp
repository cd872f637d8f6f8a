#include "libruntime/system/error.h"

#include <array>
#include <cctype>
#include <cstring>

namespace hull {
namespace {

// In the order of ErrorKind.
constexpr std::array<std::string_view, 11> kKindNames{"system",
                                                      "id_in_use",
                                                      "invalid_id",
                                                      "container_not_exists",
                                                      "container_paused",
                                                      "container_not_stopped",
                                                      "container_not_running",
                                                      "container_not_paused",
                                                      "no_process",
                                                      "config_invalid",
                                                      "console_exists"};

}  // namespace

std::string_view error_kind_name(ErrorKind kind) { return kKindNames[static_cast<size_t>(kind)]; }

std::string errno_text(int code) {
  const char* known = strerrordesc_np(code);
  std::string text = known != nullptr ? known : "errno " + std::to_string(code);
  // "RPC struct is bad" and the like keep their capitals.
  if (text.size() > 1 && std::isupper(static_cast<unsigned char>(text[1])) == 0)
    text[0] = static_cast<char>(std::tolower(static_cast<unsigned char>(text[0])));
  return text;
}

std::string quote(std::string_view text) {
  static constexpr char kHex[] = "0123456789abcdef";
  std::string out = "\"";
  for (const char c : text) {
    const auto u = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (c == '\n') {
      out += "\\n";
    } else if (c == '\r') {
      out += "\\r";
    } else if (c == '\t') {
      out += "\\t";
    } else if (u < 0x20 || u == 0x7f) {
      out += "\\x";
      out += kHex[u >> 4];
      out += kHex[u & 15];
    } else {
      out += c;
    }
  }
  return out + "\"";
}

void Error::compose() {
  text_.clear();
  if (!stage_.empty()) text_ += stage_ + ": ";
  text_ += message_;
  if (!call_.empty()) text_ += ": " + call_;
  if (code_ != 0) text_ += ": " + errno_text(code_);
  if (!field_.empty()) text_ += " (" + field_ + ")";
  if (!hint_.empty()) text_ += "; " + hint_;
}

void Error::set_stage(std::string_view text) {
  if (!stage_.empty()) return;
  stage_ = text;
  compose();
}

void Error::add_outer_stage(std::string_view text) {
  stage_ = stage_.empty() ? std::string(text) : std::string(text) + ": " + stage_;
  compose();
}

void Error::set_field(std::string_view pointer) {
  if (!field_.empty()) return;
  field_ = pointer;
  compose();
}

void Error::set_hint(std::string_view text) {
  if (!hint_.empty()) return;
  hint_ = text;
  compose();
}

Error&& Error::stage(std::string_view text) && {
  set_stage(text);
  return std::move(*this);
}

Error&& Error::field(std::string_view pointer) && {
  set_field(pointer);
  return std::move(*this);
}

Error&& Error::hint(std::string_view text) && {
  set_hint(text);
  return std::move(*this);
}

Error&& Error::kind(ErrorKind kind) && {
  kind_ = kind;
  return std::move(*this);
}

std::string Error::detail() const {
  std::string out;
  const auto line = [&](std::string_view name, std::string_view text) {
    if (!text.empty()) out.append(name).append(": ").append(text).append("\n");
  };
  line("kind", error_kind_name(kind_));
  line("stage", stage_);
  line("message", message_);
  line("call", call_);
  if (code_ != 0) line("errno", std::to_string(code_) + " (" + errno_text(code_) + ")");
  line("field", field_);
  line("hint", hint_);
  line("thrown at",
       std::string(where_.file) + ":" + std::to_string(where_.line) + " in " + where_.function);
  return out;
}

}  // namespace hull
