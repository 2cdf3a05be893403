#include "config/shared/handshake_failure.hpp"

#include <array>

namespace gray::tls {
namespace {

struct FailureText {
  HandshakeFailure failure;
  const char* name;
  const char* text;
};

constexpr std::array<FailureText, static_cast<std::size_t>(HandshakeFailure::count)> kFailures{{
    {HandshakeFailure::none, "none", ""},
    {HandshakeFailure::timeout, "timeout", "the handshake was not complete in time"},
    {HandshakeFailure::closed, "closed", "the client closed the connection within the handshake"},
    {HandshakeFailure::plain_http, "plain-http", "the client speaks HTTP without TLS: use https://"},
    {HandshakeFailure::not_tls, "not-tls", "the client does not speak TLS"},
    {HandshakeFailure::no_shared_version, "version", "the client speaks no TLS 1.2 or 1.3"},
    {HandshakeFailure::no_shared_cipher, "cipher", "the client offers no cipher or group that grayd has"},
    {HandshakeFailure::no_shared_protocol, "protocol", "the client offers no protocol that grayd speaks (ALPN)"},
    {HandshakeFailure::client_certificate, "client-certificate",
     "the client has no certificate, or one that client_ca or client_crl does not accept"},
    {HandshakeFailure::refused_ours, "refused",
     "the client ended the handshake, probably because it does not trust the certificate"},
    {HandshakeFailure::protocol, "other", "the client broke the rules of TLS"},
}};

constexpr bool failures_complete() {
  for (std::size_t i = 0; i < kFailures.size(); ++i)
    if (static_cast<std::size_t>(kFailures[i].failure) != i) return false;
  return true;
}
static_assert(failures_complete(), "one row per failure, in the order of the enum");

}  // namespace

const char* name_of(HandshakeFailure failure) { return kFailures.at(static_cast<std::size_t>(failure)).name; }
const char* explain(HandshakeFailure failure) { return kFailures.at(static_cast<std::size_t>(failure)).text; }

}  // namespace gray::tls
