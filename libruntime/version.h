#pragma once

namespace hull {

inline constexpr char kVersion[] = "0.1.0";
// The newest runtime-spec that is understood.
inline constexpr char kSpecVersion[] = "1.3.0";

}  // namespace hull
