#pragma once
// Routes one request: from its head to a service and a version, before any worker is involved. Holds the routing table
// that decided, and counts the request as in flight in its version, until end().
#include "router/backends/backends.hpp"
#include "router/policy/answer_cookies.hpp"
#include "router/policy/asset.hpp"
#include "router/policy/decision.hpp"
#include "router/proxy/client_side.hpp"
#include "router/proxy/recorder.hpp"
#include "router/proxy/table_view.hpp"

namespace gray::proxy {

/// Why a request is not routed, and the rule that it broke, if any.
struct Refusal {
  segment::Reason reason = segment::Reason::none;
  http::Fault fault{.status = 0};
};

class RequestRouting {
 public:
  RequestRouting(TableViews& tables, Backends& backends, const NetworkSet& trusted_proxies)
      : tables_(tables), backends_(backends), trusted_proxies_(trusted_proxies) {}

  /// Forgets the previous request. A message that is not a valid request gets no other call.
  void clear(const Address& peer);
  /// Holds the current table.
  void hold() { view_ = &tables_.hold(); }
  bool held() const { return view_ != nullptr; }
  Refusal route(const RequestFacts& request, const ClientInfo& client, const http::Request& head);
  /// The version has failed a user who did not ask for it, for this reason: routes to stable.
  void fall_back(segment::Reason failure);

  /// Whether the request is for an asset that other versions may be asked for.
  bool is_shared_asset() const { return asset_ != policy::Asset::none; }
  /// Whether the answer shows that this version does not have the asset, and the answer is not the one to send.
  bool lacks(const http::Response& answer) const;
  /// Counts that this version does not have the asset.
  void count_lack();
  /// Whether a version other than the one that was chosen is being asked.
  bool asks_others() const { return choice_.decision == segment::Decision::asset; }
  /// Routes to the next living version. False: none is left; then to the first one, whose answer is to be sent.
  bool ask_next();

  void end();

  /// Limits of the service; defaults while there is none.
  const Limits& limits() const;
  /// Null: no version was chosen.
  Version* version() const { return version_; }
  segment::Decision decision() const { return choice_.decision; }
  /// The user did not ask for the version, and stable can replace it.
  bool is_assigned() const { return segment::is_assigned(choice_.decision) && !on_stable(); }
  bool on_stable() const { return choice_.version == service_->route->stable; }
  /// A rule or the allowlist chose the version, or the one that stable replaces.
  bool targeted() const { return choice_.targeted(); }
  /// Who sent the request: the peer, or whom a trusted proxy names.
  const Address& client() const { return *client_; }
  /// The member of X-Forwarded-For that could not be read, during route(); empty: none.
  std::string_view unreadable_hop() const { return unreadable_hop_; }
  /// Whether requests to the service's workers have Via.
  bool via() const { return service_->route->via; }
  std::uint64_t affinity() const { return choice_.affinity; }
  /// Of the user; nothing: the request has no identity.
  std::optional<std::uint64_t> identity_hash() const {
    return choice_.identified() ? std::optional(choice_.identity_hash) : std::nullopt;
  }
  /// For the answer's X-Gray-* fields: empty unless the service exposes them.
  std::string_view shown_version() const;
  std::string_view shown_decision() const;
  /// The cookies that the answer sets; `scratch` holds them.
  std::span<const http::SetCookie> cookies(policy::AnswerCookies& scratch) const;
  /// Fills in what is counted.
  void count(ExchangeRecord& record) const;
  /// Fills in what is logged.
  void describe(stats::AccessRecord& line) const;

 private:
  Refusal admit(const RequestFacts& request, const ClientInfo& client) const;
  std::uint64_t living() const;
  void enter_version();
  void leave_version();
  bool exposed() const { return version_ != nullptr && service_->route->expose != Expose::none; }
  std::size_t index_of(const IdentitySource& source) const {
    return static_cast<std::size_t>(&source - service_->route->identity.data());
  }
  const VersionRoute& version_route() const { return service_->route->versions[choice_.version]; }

  TableViews& tables_;
  Backends& backends_;
  const NetworkSet& trusted_proxies_;
  TableView* view_ = nullptr;
  const policy::ServicePolicy* service_ = nullptr;
  Version* version_ = nullptr;
  policy::Choice choice_;
  policy::Asset asset_ = policy::Asset::none;
  std::uint64_t asked_ = 0;  // a bit for each version that was asked for the asset; 0: the first one answers
  std::uint32_t first_ = 0;  // the version that was asked first; meaningless without `asked_`
  segment::Decision first_decision_ = segment::Decision::none;  // likewise
  segment::Reason canary_failure_ = segment::Reason::none;      // why fall_back() was called
  bool secure_ = false;              // the client uses https; known only if the answer sets a cookie
  Address named_;                    // whom a trusted proxy names
  const Address* client_ = &named_;  // it, or the peer
  std::string_view unreadable_hop_;
};

}  // namespace gray::proxy
