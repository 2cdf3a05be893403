#pragma once
// `[tls.NAME]`: a certificate, the hosts that get it, and whether clients must have one too.
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config/base/place.hpp"

namespace gray {

/// Whether a client is asked for a certificate: no; yes, and it may have none; yes, and it must have one.
enum class ClientAuth : std::uint8_t { off, optional, required };
constexpr ClientAuth last_value(ClientAuth) { return ClientAuth::required; }

/// "off", "optional", "required".
constexpr const char* name_of(ClientAuth auth) {
  return auth == ClientAuth::off ? "off" : auth == ClientAuth::optional ? "optional" : "required";
}

struct TlsSettings {
  static constexpr std::size_t kMost = 256;  // [tls.NAME] of a file

  std::string name;
  std::string certificate, key;    // absolute paths
  std::vector<std::string> hosts;  // lower case; "*.example.com"; empty: the names in the certificate
  ClientAuth client_auth = ClientAuth::off;
  std::string client_ca, client_crl;  // absolute paths; empty: none
  Place certificate_at;
  bool operator==(const TlsSettings&) const = default;
};

}  // namespace gray
