#pragma once
// Version skew: a page of one version asks for its scripts, styles and other files after its user has moved to a
// different version, or without the parameter that named its version. Which requests are for such an asset, which
// answers show that a version does not have it, and which version is asked next. Values in, a decision out: no clock,
// no I/O, no allocation.
//
// A version that does not have a file answers 404, or 200 with its index.html, as many servers of single-page apps do.
#include <cstddef>
#include <cstdint>
#include <optional>

#include "config/shared/routing_table.hpp"
#include "router/http/message.hpp"

namespace gray::policy {

/// The first answer is kept, and any other one read to its end, up to this size; a larger one is cut.
inline constexpr std::size_t kDroppedBytes = 64 * 1024;

enum class Asset : std::uint8_t {
  none,
  file,      // may be of any type
  not_html,  // a script, a style, an image or the like
};

Asset judge_asset(const ServiceRoute& service, const http::Request& head);

/// Whether a request is for an asset that may be asked for at several versions: GET or HEAD, for a destination
/// (Sec-Fetch-Dest) that is a file of a page, or below one of the service's `assets`.
inline Asset asset_of(const ServiceRoute& service, const http::Request& head) {
  if (head.fetch_dest.empty() && service.assets.empty()) return Asset::none;
  if (!service.asset_retry || service.versions.size() < 2) return Asset::none;
  return judge_asset(service, head);
}

/// Whether the answer of the version that was chosen shows that it does not have the asset.
bool is_missing(Asset asset, const http::Response& answer);
/// Whether the answer of a different version is the asset: anything but a success is not.
bool is_found(Asset asset, const http::Response& answer);

/// The version that is asked next: stable, then the canary, then the others in order; nothing: none is left. Bit i of
/// `asked` and `up` is version i: it was asked, it has a worker.
std::optional<std::uint32_t> next_version(const ServiceRoute& service, std::uint64_t asked, std::uint64_t up);
static_assert(segment::kVersions <= 64);

}  // namespace gray::policy
