#pragma once
// Why a TLS handshake failed. Pure.
#include <cstdint>

namespace gray::tls {

enum class HandshakeFailure : std::uint8_t {
  none,
  timeout,             // it was not complete in time
  closed,              // the client closed the connection
  plain_http,          // the client speaks HTTP without TLS
  not_tls,             // the client speaks something else
  no_shared_version,   // TLS 1.1 or older
  no_shared_cipher,    // or no common group
  no_shared_protocol,  // ALPN
  client_certificate,  // none, or one that is not good
  refused_ours,        // the client does not accept our certificate, or sent another alert
  protocol,            // anything else
  count
};
/// "plain-http"; the label of a metric.
const char* name_of(HandshakeFailure failure);
/// One line for people, without the client: "speaks HTTP without TLS: use https://".
const char* explain(HandshakeFailure failure);

}  // namespace gray::tls
