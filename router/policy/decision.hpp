#pragma once
// Which version a request gets, and why (contract 2.4). Values in, a decision out: no clock, no I/O, no allocation.
//
// First match decides: explicit version (param, then header, then cookie) > sticky bucket of the user > stable. The
// param is the first of its name in the query, percent-decoded for the comparison only; an unknown version name is
// skipped. A header counts only from a peer in `override_from`; a unix peer is a process of this host, and every such
// list that is not empty includes it. A canary without an able worker takes no bucketed user: they go to stable,
// decision `fallback`. A version named explicitly is chosen even if it is down: the caller then answers 503.
//
// A browser's navigation (Sec-Fetch-Mode) whose param names a version pins it: the answer sets the cookie, so that the
// requests of the page, which lack the param, get the same version. An empty param removes the pin, which then does not
// count for this navigation either. Clients that send no Sec-Fetch-Mode are never pinned.
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "config/base/network_set.hpp"
#include "config/shared/routing_table.hpp"
#include "config/shared/segment.hpp"
#include "router/http/message.hpp"
#include "router/policy/identity.hpp"
#include "router/policy/trace.hpp"

namespace gray::policy {

/// What the answer does with the cookie that names a version.
enum class Pin : std::uint8_t { none, set, expire };

struct Choice {
  std::uint32_t version = 0;  // index into the service's versions
  segment::Decision decision = segment::Decision::stable;
  const IdentitySource* identity = nullptr;  // the source that identified the user; null: none did
  std::uint64_t identity_hash = 0;           // bucket hash of the identity, whatever decided; 0 if there is none
  std::uint64_t affinity = 0;                // affinity hash of it; 0 if there is none or the service wants no affinity
  bool issues = false;                       // the answer sets the cookie of `identity` to `issued`
  IssuedId issued;
  Pin pin = Pin::none;
  bool identified() const { return identity != nullptr; }
  bool sets_cookies() const { return issues || pin != Pin::none; }
};

struct ServicePolicy {
  const ServiceRoute* route = nullptr;
  Threshold threshold;           // of the canary's weight
  std::uint64_t issue_seed = 0;  // of the table
  NetworkSet override_from;      // of the route
};
/// Of a route, which must outlive it, in a table with this seed.
ServicePolicy policy_of(const ServiceRoute& route, std::uint64_t issue_seed);

/// `client` has the address of client_address(), `peer` is the socket's peer, which override_from checks.
/// `canary_up`: the canary has a worker that can take requests now.
Choice decide(const ServicePolicy& service, const http::Request& head, const Client& client, const Address& peer,
              bool canary_up);

/// The same decision, by the same code, with its steps.
Choice explain(const ServicePolicy& service, const http::Request& head, const Client& client, const Address& peer,
               bool canary_up, Trace& trace);

/// What a user gets whom no other source gave a version: bucket, fallback or stable. Logged decisions are replayed by
/// it, too. `canary`: a version has users beside stable; `canary_up`: and an able worker.
constexpr segment::Decision by_bucket(bool canary, bool identified, std::uint64_t identity_hash,
                                      const Threshold& threshold, bool canary_up) {
  if (!canary || !identified || !threshold.takes(identity_hash)) return segment::Decision::stable;
  return canary_up ? segment::Decision::bucket : segment::Decision::fallback;
}

/// XXH3-64 of salt, one zero byte, identity.
std::uint64_t bucket_hash(std::string_view salt, std::string_view identity);

/// The value of query parameter `name` in `path_query`, not decoded; the first one; nothing if absent. The name in the
/// query may be percent-encoded.
std::optional<std::string_view> query_param(std::string_view path_query, std::string_view name);
/// Whether `encoded`, percent-decoded ('+' is a space), is `plain`.
bool decodes_to(std::string_view encoded, std::string_view plain);

/// The peer (a unix peer has no address, and so no identity from it), or behind trusted proxies the rightmost untrusted
/// hop of X-Forwarded-For. A member may have a port: "1.2.3.4:5", "[::1]:5". One that is not an address ends the
/// search, and so do kMaxHops trusted ones: the last valid address counts.
struct ForwardedClient {
  Address address;
  bool cut = false;             // by kMaxHops
  std::string_view unreadable;  // the member that is not an address
};
ForwardedClient client_address(const Address& peer, const http::Fields& fields, const NetworkSet& trusted);
inline constexpr int kMaxHops = 32;

}  // namespace gray::policy
