#pragma once
// Routes one request: from its head to a service and a version, before any worker is involved. Holds the routing table
// that decided, and counts the request as in flight in its version, until end().
#include "router/backends/backends.hpp"
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
  /// The canary has failed a user who did not ask for it: routes to stable.
  void fall_back();
  void end();

  /// Limits of the service; defaults while there is none.
  const Limits& limits() const;
  /// Null: no version was chosen.
  Version* version() const { return version_; }
  segment::Decision decision() const { return choice_.decision; }
  /// Who sent the request: the peer, or whom a trusted proxy names.
  const Address& client() const { return client_; }
  /// The member of X-Forwarded-For that could not be read, during route(); empty: none.
  std::string_view unreadable_hop() const { return unreadable_hop_; }
  std::uint64_t affinity() const { return choice_.affinity; }
  /// For the answer's X-Gray-* fields: empty unless the service exposes them.
  std::string_view shown_version() const;
  std::string_view shown_decision() const;
  http::SetCookie cookie() const;
  /// Fills in what is counted and logged.
  void describe(ExchangeRecord& record) const;

 private:
  Refusal admit(const RequestFacts& request) const;
  void enter_version();
  void leave_version();
  bool exposed() const { return version_ != nullptr && service_->route->expose != Expose::none; }
  const VersionRoute& version_route() const { return service_->route->versions[choice_.version]; }

  TableViews& tables_;
  Backends& backends_;
  const NetworkSet& trusted_proxies_;
  TableView* view_ = nullptr;
  const policy::ServicePolicy* service_ = nullptr;
  Version* version_ = nullptr;
  policy::Choice choice_;
  Address client_;
  std::string_view unreadable_hop_;
};

}  // namespace gray::proxy
