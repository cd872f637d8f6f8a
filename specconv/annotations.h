#pragma once

// Annotations of config.json that this runtime acts on, beside those of systemd, CRIU and crun.
namespace hull::specconv {

// All of hull's own begin with this.
inline constexpr char kAnnotationPrefix[] = "run.hull.";
// JSON lists, as "networks" and "routes" of state.json.
inline constexpr char kNetworksAnnotation[] = "run.hull.networks";
inline constexpr char kRoutesAnnotation[] = "run.hull.routes";

}  // namespace hull::specconv
