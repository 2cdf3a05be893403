#pragma once
// Which failed handshakes are reported: each client once a minute, and a bounded number of clients. Pure; the caller
// locks.
#include <map>
#include <string>

#include "config/base/address.hpp"
#include "config/base/time.hpp"
#include "router/tls/handshake_failure.hpp"

namespace gray::proxy {

class HandshakeComplaints {
 public:
  static constexpr Duration kInterval{60'000};
  static constexpr std::size_t kMostClients = 256;  // in kInterval; failures of others are only counted

  /// One line for people; empty: nothing is to be reported.
  std::string line(const Address& client, tls::HandshakeFailure failure, TimePoint now);

 private:
  std::map<std::string, TimePoint> reported_;  // by address
};

}  // namespace gray::proxy
