#include "router/proxy/request_routing.hpp"

namespace gray::proxy {

using segment::Decision;
using segment::Reason;

namespace {

const Limits kDefaults;
constexpr http::Fault kMisdirected{421, "TLS",
                                   "this host asks for another client certificate: open a new connection for it", 0};
constexpr http::Fault kNoCertificate{403, "TLS", "this service needs a client certificate", 0};

}  // namespace

const Limits& RequestRouting::limits() const { return service_ == nullptr ? kDefaults : service_->route->limits; }

void RequestRouting::clear(const Address& peer) {
  client_ = &peer;
  unreadable_hop_ = {};
  choice_ = {.decision = Decision::none};
  asset_ = policy::Asset::none;
  asked_ = 0;
  canary_failure_ = Reason::none;
}

Refusal RequestRouting::route(const RequestFacts& request, const ClientInfo& client, const http::Request& head) {
  const auto service = view_->service_of(request.authority, request.path);
  if (!service) return {.reason = Reason::no_route};
  service_ = &view_->services[*service];
  if (Refusal refusal = admit(request, client); refusal.reason != Reason::none) return refusal;
  // Only a trusted proxy may name the client; fields of other peers are replaced before forwarding.
  if (client.trusted) {
    const auto forwarded = policy::client_address(*client.peer, head.fields, trusted_proxies_);
    named_ = forwarded.address;
    client_ = &named_;
    unreadable_hop_ = forwarded.unreadable;
    if (forwarded.cut) stats::add(backends_.counters().wire().forwards_cut, 1);
    if (!unreadable_hop_.empty()) stats::add(backends_.counters().wire().forwards_unreadable, 1);
  }
  const ServiceRoute& route = *service_->route;
  const auto able = [this, &route](std::uint32_t version) {
    return backends_.version(route.versions[version].row).up();
  };
  const policy::Client user(*client_, client.trusted ? std::string_view() : client.ip);
  choice_ = policy::decide(*service_, head, user, *client.peer, able);
  if (choice_.sets_cookies()) secure_ = policy::is_secure(client.scheme, client.trusted, head.fields);
  if (choice_.pin == policy::Pin::none) asset_ = policy::asset_of(route, head);  // a navigation is for a page
  enter_version();
  return {.reason = version_->up() ? Reason::none : Reason::version_down};
}

Refusal RequestRouting::admit(const RequestFacts& request, const ClientInfo& client) const {
  if (client.misdirected) return {Reason::misdirected, kMisdirected};
  if (service_->route->client_cert && client.certificate.empty()) return {Reason::client_cert, kNoCertificate};
  const std::size_t offset = request.head_bytes;
  if (offset > limits().head || request.fields > limits().fields)
    return {Reason::head_too_large, {431, "P8", "the request head is larger than this service allows", offset}};
  if (request.length.value_or(0) > limits().body)
    return {Reason::too_large, {413, "P8", "the request body is larger than this service allows", offset}};
  return {};
}

void RequestRouting::fall_back(Reason failure) {
  leave_version();
  canary_failure_ = failure;
  choice_.version = service_->route->stable;
  choice_.decision = Decision::fallback;
  enter_version();
}

bool RequestRouting::lacks(const http::Response& answer) const {
  if (asks_others()) return !policy::is_found(asset_, answer);
  if (!policy::is_missing(asset_, answer)) return false;
  return policy::next_version(*service_->route, std::uint64_t{1} << choice_.version, living()).has_value();
}

void RequestRouting::count_lack() { stats::add(backends_.counters().row(version_->row).asset_retries); }

bool RequestRouting::ask_next() {
  if (asked_ == 0) {
    first_ = choice_.version;
    first_decision_ = choice_.decision;
  }
  asked_ |= std::uint64_t{1} << choice_.version;
  const auto next = policy::next_version(*service_->route, asked_, living());
  leave_version();
  choice_.version = next.value_or(first_);
  choice_.decision = next ? Decision::asset : first_decision_;
  if (!next) asset_ = policy::Asset::none;
  enter_version();
  return next.has_value();
}

/// A bit for each version that has an able worker.
std::uint64_t RequestRouting::living() const {
  std::uint64_t up = 0;
  const auto& versions = service_->route->versions;
  for (std::size_t i = 0; i < versions.size(); ++i) {
    if (backends_.version(versions[i].row).up()) up |= std::uint64_t{1} << i;
  }
  return up;
}

void RequestRouting::end() {
  leave_version();
  if (view_ != nullptr) tables_.drop(*std::exchange(view_, nullptr));
  service_ = nullptr;
}

void RequestRouting::enter_version() {
  version_ = &backends_.version(version_route().row);
  stats::add(backends_.counters().row(version_->row).in_flight, 1);
}

void RequestRouting::leave_version() {
  if (version_ == nullptr) return;
  stats::add(backends_.counters().row(version_->row).in_flight, -1);
  version_ = nullptr;
}

std::string_view RequestRouting::shown_version() const {
  return exposed() ? std::string_view(version_route().name) : std::string_view();
}

std::string_view RequestRouting::shown_decision() const {
  return exposed() ? segment::name_of(choice_.decision) : std::string_view();
}

std::span<const http::SetCookie> RequestRouting::cookies(policy::AnswerCookies& scratch) const {
  if (!choice_.sets_cookies()) return {};
  scratch.set(*service_->route, choice_, secure_);
  return scratch.all();
}

void RequestRouting::count(ExchangeRecord& record) const {
  if (version_ != nullptr) {
    record.row = version_->row;
    record.compared = service_->route->canary.has_value() && !choice_.targeted();
  }
  record.counts.decision = choice_.decision;
  record.client = client_;
  record.identity_hash = identity_hash();
}

void RequestRouting::describe(stats::AccessRecord& line) const {
  if (view_ != nullptr) line.rule = view_->unrouted_rule;
  if (service_ == nullptr) return;
  if (asked_ != 0) {
    line.asked_first = service_->route->versions[first_].name;
    line.first_decision = first_decision_;
  }
  line.canary_failure = canary_failure_;
  if (choice_.rule != policy::Choice::kNoRule) line.matched_rule = service_->route->rules[choice_.rule].name;
  line.listed = choice_.listed && choice_.decision != Decision::allowlist;
  const LogMembers& members = view_->log_members(*service_);
  line.rule = members.rule;
  if (choice_.identified()) line.identity_source = members.sources[index_of(*choice_.identity)];
  line.destination = version_ != nullptr ? members.destinations[choice_.version] : members.no_version;
}

}  // namespace gray::proxy
