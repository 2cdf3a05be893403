#include "router/process/handshake_complaints.hpp"

namespace gray::proxy {

std::string HandshakeComplaints::line(const Address& client, tls::HandshakeFailure failure, TimePoint now) {
  std::erase_if(reported_, [&](const auto& one) { return now - one.second >= kInterval; });
  const std::string name = client.kind == Address::Kind::unix_path ? "unix" : client.ip_text();
  if (reported_.size() >= kMostClients || !reported_.emplace(name, now).second) return {};
  return "client " + name + ": TLS handshake failed (" + tls::name_of(failure) + "): " + tls::explain(failure);
}

}  // namespace gray::proxy
