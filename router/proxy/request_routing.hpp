#pragma once
// Where one request goes: from its head to a service and a version, before any worker is involved. Keeps the routing
// table that decided it, and counts the request in its version, until end().
#include "router/backends/backends.hpp"
#include "router/policy/decision.hpp"
#include "router/proxy/client_side.hpp"
#include "router/proxy/recorder.hpp"
#include "router/proxy/table_view.hpp"

namespace gray::proxy {

/// Why a request goes nowhere, and the rule that it broke, if it was one.
struct Refusal {
  segment::Reason reason = segment::Reason::none;
  http::Fault fault{.status = 0};
};

class RequestRouting {
 public:
  RequestRouting(TableViews& tables, Backends& backends, const RouterSettings& settings)
      : tables_(tables), backends_(backends), settings_(settings) {}

  /// Forgets the request before. To what is no request nothing else applies.
  void clear(const Address& peer);
  /// Holds the current table.
  void hold() { view_ = &tables_.hold(); }
  bool held() const { return view_ != nullptr; }
  Refusal route(const RequestFacts& request, const ClientInfo& client, const http::Request& head);
  /// The canary has failed a user who did not ask for it: stable is next.
  void fall_back();
  void end();

  /// Of the service; defaults while there is none.
  const Limits& limits() const;
  /// Null: none was chosen.
  Version* version() const { return version_; }
  segment::Decision decision() const { return choice_.decision; }
  std::uint64_t affinity() const { return choice_.affinity; }
  /// What the answer says of it: empty unless the service exposes it.
  std::string_view shown_version() const;
  std::string_view shown_decision() const;
  http::SetCookie cookie() const;
  /// What is counted and logged of it.
  void describe(ExchangeRecord& record) const;

 private:
  Refusal admit(const RequestFacts& request) const;
  void enter_version();
  void leave_version();
  bool exposed() const { return version_ != nullptr && service_->route->expose != Expose::none; }
  const VersionRoute& version_route() const { return service_->route->versions[choice_.version]; }

  TableViews& tables_;
  Backends& backends_;
  const RouterSettings& settings_;
  TableView* view_ = nullptr;
  const policy::ServicePolicy* service_ = nullptr;
  Version* version_ = nullptr;
  policy::Choice choice_;
  Address client_;
};

}  // namespace gray::proxy
