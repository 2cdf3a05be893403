#pragma once
// Which version a request gets, and why (contract 2.4). Values in, a decision out: no clock, no I/O, no allocation.
//
// First match decides: explicit version (param, then header, then cookie) > allowlist > rule > sticky bucket of the
// user > stable. The param is the first of its name in the query, percent-decoded for the comparison only; an unknown
// version name is skipped. A header counts only from a peer in `override_from`; a unix peer is a process of this host,
// and every such list that is not empty includes it. A version named explicitly is chosen even if it is down: the
// caller then answers 503. A version without an able worker gets no user who did not ask for it: those of the bucket,
// of the allowlist and of a rule go to stable, decision `fallback`.
//
// The allowlist and each rule name a role or a version. A role that no version has (there is no canary), a version that
// does not exist, and one that must not be chosen (VersionRoute::targeted) is no match: the next source decides.
//
// A browser's navigation (Sec-Fetch-Mode) whose param names a version pins it: the answer sets the cookie, so that the
// requests of the page, which lack the param, get the same version. An empty param removes the pin, which then does not
// count for this navigation either. Clients that send no Sec-Fetch-Mode are never pinned.
#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "config/base/network_set.hpp"
#include "config/shared/routing_table.hpp"
#include "config/shared/segment.hpp"
#include "router/http/message.hpp"
#include "router/policy/identity.hpp"
#include "router/policy/trace.hpp"
#include "router/targeting/targets.hpp"

namespace gray::policy {

/// What the answer does with the cookie that names a version.
enum class Pin : std::uint8_t { none, set, expire };

struct Choice {
  static constexpr std::uint32_t kNoRule = UINT32_MAX;

  std::uint32_t version = 0;  // index into the service's versions
  segment::Decision decision = segment::Decision::stable;
  const IdentitySource* identity = nullptr;  // the source that identified the user; null: none did
  std::uint64_t identity_hash = 0;           // bucket hash of the identity, whatever decided; 0 if there is none
  std::uint64_t affinity = 0;                // affinity hash of it; 0 if there is none or the service wants no affinity
  bool issues = false;                       // the answer sets the cookie of `identity` to `issued`
  IssuedId issued;
  Pin pin = Pin::none;
  std::uint32_t rule = kNoRule;  // index into the service's rules: the one that chose, also if stable serves instead
  bool listed = false;           // the allowlist chose, likewise
  bool identified() const { return identity != nullptr; }
  /// The allowlist or a rule chose the version, or the one that stable replaces.
  bool targeted() const { return listed || rule != kNoRule; }
  bool sets_cookies() const { return issues || pin != Pin::none; }
};

/// The rules and the allowlist of a service, with the versions that they choose by one routing table.
struct Targeting {
  /// Of what is null, or chooses no version by this table, nothing is asked.
  Targeting(const ServiceRoute& route, const targeting::Targets& targets);
  Targeting() = default;

  const targeting::RuleIndex* rules = nullptr;
  const targeting::AllowlistTable* users = nullptr;
  std::vector<std::uint32_t> versions;  // by target of the rules: an index, or RuleIndex::kNoVersion
  std::uint32_t listed_version = targeting::RuleIndex::kNoVersion;
};

/// The version that a role or a name means by this table; RuleIndex::kNoVersion: none that may be chosen.
std::uint32_t version_meant(const ServiceRoute& route, std::string_view target);

struct ServicePolicy {
  const ServiceRoute* route = nullptr;
  Threshold threshold;                                   // of the canary's weight
  std::uint64_t issue_seed = 0;                          // of the table
  std::shared_ptr<const NetworkSet> override_from = {};  // of the route; null: nobody
  Targeting targeting = {};
};

/// Whether a version, by its index, has a worker that can take requests now. Borrows a function for one call.
class Able {
 public:
  template <class Ask>
  Able(const Ask& ask)
      : ask_(&ask),
        call_([](const void* it, std::uint32_t version) { return (*static_cast<const Ask*>(it))(version); }) {}
  bool operator()(std::uint32_t version) const { return call_(ask_, version); }

 private:
  const void* ask_;
  bool (*call_)(const void*, std::uint32_t);
};
/// Of a route in a table with this seed. `route` and `targets` must outlive it.
ServicePolicy policy_of(const ServiceRoute& route, std::uint64_t issue_seed, const targeting::Targets& targets = {});

/// `client` has the address of client_address(), `peer` is the socket's peer, which override_from checks.
Choice decide(const ServicePolicy& service, const http::Request& head, const Client& client, const Address& peer,
              Able able);

/// The same decision, by the same code, with its steps.
Choice explain(const ServicePolicy& service, const http::Request& head, const Client& client, const Address& peer,
               Able able, Trace& trace);

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
/// query may be percent-encoded. Only the first targeting::kMaxPairs parameters count.
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
