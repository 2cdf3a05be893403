#include "router/process/client_complaints.hpp"

namespace gray::proxy {

std::string ClientComplaints::line(const Address& client, const std::string& text, TimePoint now) {
  std::erase_if(reported_, [&](const auto& one) { return now - one.second >= kInterval; });
  const std::string name = client.kind == Address::Kind::unix_path ? "unix" : client.ip_text();
  if (reported_.size() >= kMostClients || !reported_.emplace(name, now).second) return {};
  return "client " + name + ": " + text;
}

}  // namespace gray::proxy
