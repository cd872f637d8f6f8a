#pragma once

#include <string>
#include <string_view>

namespace hull::cmd {

// A JSON string (RFC 8259) with its quotes, as Go's encoding/json writes it: bytes that are no
// UTF-8 become U+FFFD; <, > and & are escaped.
std::string json_quoted(std::string_view text);

// JSON text without the white space between its tokens. The text must be valid.
std::string json_compact(std::string_view json);

// How many bytes the UTF-8 sequence at the start of `text` has; 0: it is not valid (RFC 3629: no
// overlong forms, no surrogates).
size_t utf8_length(std::string_view text);

// The code point of a valid sequence.
char32_t utf8_value(std::string_view sequence);

}  // namespace hull::cmd
