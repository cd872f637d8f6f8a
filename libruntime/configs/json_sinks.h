#pragma once

#include <charconv>
#include <concepts>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

// Two ways to write JSON behind one set of verbs: begin_object, key, value, end_object, and the
// same for lists. For .cpp files only: it pulls in the JSON library.
namespace hull::configs {

class TextSink {
 public:
  void begin_object() { open('{'); }
  void end_object() { out_ += '}'; }
  void begin_list() { open('['); }
  void end_list() { out_ += ']'; }
  void key(std::string_view name) {
    separate();
    out_ += '"';
    out_ += name;  // the keys of state.json need no escapes; names from users go through text_key()
    out_ += "\":";
  }
  void text_key(std::string_view name) {
    separate();
    quote(name);
    out_ += ':';
  }
  void null() { literal("null"); }
  void value(bool flag) { literal(flag ? "true" : "false"); }
  template <std::integral T>
  void value(T number) {
    char digits[24];
    const auto result = std::to_chars(digits, digits + sizeof digits, number);
    literal({digits, static_cast<size_t>(result.ptr - digits)});
  }
  // Without an exponent, with as many digits as it takes.
  void value(double number) {
    char digits[400];
    const auto result =
        std::to_chars(digits, digits + sizeof digits, number, std::chars_format::fixed);
    literal({digits, static_cast<size_t>(result.ptr - digits)});
  }
  void value(std::string_view text) {
    separate();
    quote(text);
  }
  [[nodiscard]] std::string take() { return std::move(out_); }

 private:
  void open(char bracket) {
    separate();
    out_ += bracket;
  }
  void literal(std::string_view text) {
    separate();
    out_ += text;
  }
  void separate() {
    if (out_.empty()) return;
    const char last = out_.back();
    if (last != '{' && last != '[' && last != ':') out_ += ',';
  }
  void quote(std::string_view text) {
    for (const char c : text) {
      const auto byte = static_cast<unsigned char>(c);
      if (byte >= 0x20 && byte < 0x7f && c != '"' && c != '\\') continue;
      // Rare enough to leave escapes and the check of UTF-8 to the library.
      out_ += nlohmann::json(text).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
      return;
    }
    out_ += '"';
    out_ += text;
    out_ += '"';
  }

  std::string out_;
};

class TreeSink {
 public:
  explicit TreeSink(nlohmann::json& root) : next_(&root) {}
  void begin_object() { open(nlohmann::json::object()); }
  void end_object() { open_.pop_back(); }
  void begin_list() { open(nlohmann::json::array()); }
  void end_list() { open_.pop_back(); }
  void key(std::string_view name) { next_ = &(*open_.back())[std::string(name)]; }
  void text_key(std::string_view name) { key(name); }
  void null() { place(nullptr); }
  template <class T>
  void value(const T& value) {
    place(value);
  }

 private:
  // The value of the last key, or the next entry of the open list.
  nlohmann::json& place(nlohmann::json value) {
    nlohmann::json* target = next_;
    if (target == nullptr) target = &open_.back()->emplace_back();
    next_ = nullptr;
    *target = std::move(value);
    return *target;
  }
  void open(nlohmann::json empty) { open_.push_back(&place(std::move(empty))); }

  nlohmann::json* next_;
  std::vector<nlohmann::json*> open_;
};

}  // namespace hull::configs
