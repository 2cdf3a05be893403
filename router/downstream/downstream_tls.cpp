// A connection with TLS: its handshake, and which hosts its certificate is good for.
#include "router/downstream/downstream.hpp"
#include "router/stats/row.hpp"

namespace gray::proxy {
namespace {

constexpr Duration kRefusedLinger{1'000};  // so that a client without TLS can read why

/// Without the port.
std::string_view host_of(std::string_view authority) {
  const std::size_t colon = authority.rfind(':');
  return colon == authority.npos || authority.ends_with(']') ? authority : authority.substr(0, colon);
}

}  // namespace

/// Null without TLS.
std::unique_ptr<tls::Session> Downstream::session() {
  if (phase_ != Phase::handshake || !owner_.policies()) return nullptr;
  return std::make_unique<tls::Session>(owner_.policies(), context().shard.memory);
}

void Downstream::on_secured() {
  stats::add(context().backends.counters().wire().handshakes);
  phase_ = Phase::head;
  arm(context().tables.current().head_timeout);
  if (tls_->speaks_h2()) begin_http2();
  if (context().draining) owner_.settled();
}

void Downstream::on_insecure() { end_handshake(tls_->failure()); }

void Downstream::on_failed(int) {
  if (phase_ == Phase::handshake) return end_handshake(tls::HandshakeFailure::closed);
  shut();
}

// What the client has to know was sent already.
void Downstream::end_handshake(tls::HandshakeFailure failure) {
  // A client that has sent nothing and leaves was only looking whether somebody listens.
  if (failure != tls::HandshakeFailure::closed || tls_->begun()) {
    stats::add(context().backends.counters().wire().handshake_failures[static_cast<std::size_t>(failure)]);
    owner_.handshake_failed(peer_.address, failure);
  }
  phase_ = Phase::closing;
  engine().timers().disarm(timer_);
  if (failure != tls::HandshakeFailure::plain_http) return engine().close(stream_);
  engine().close_after_send(stream_, kRefusedLinger, kRefusedLinger);
}

// Else a client could prove nothing to an open host, and use the connection for a guarded one. Hosts that ask for the
// same proof may share a connection, as browsers do (RFC 9113 9.1.1).
bool Downstream::is_misdirected(std::string_view authority) const {
  const tls::Policies& newest = *owner_.policies();
  return newest.guards() && newest.of_host(host_of(authority)).group != tls_->policy().group;
}

}  // namespace gray::proxy
