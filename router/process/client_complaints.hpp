#pragma once
// Which faults of clients are reported: each client once a minute, and a bounded number of clients. Pure; the caller
// locks.
#include <map>
#include <string>

#include "config/base/address.hpp"
#include "config/base/time.hpp"

namespace gray::proxy {

class ClientComplaints {
 public:
  static constexpr Duration kInterval{60'000};
  static constexpr std::size_t kMostClients = 256;  // in kInterval; faults of others are only counted

  /// "client 10.0.0.1: TEXT"; empty: nothing is to be reported.
  std::string line(const Address& client, const std::string& text, TimePoint now);

 private:
  std::map<std::string, TimePoint> reported_;  // by address
};

}  // namespace gray::proxy
