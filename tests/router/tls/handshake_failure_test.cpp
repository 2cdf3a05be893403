#include "router/tls/handshake_failure.hpp"

#include <doctest/doctest.h>
#include <openssl/err.h>
#include <openssl/ssl.h>

using namespace gray::tls;

TEST_CASE("errors of OpenSSL become failures") {
  const auto of = [](int reason) { return failure_of(ERR_PACK(ERR_LIB_SSL, 0, reason)); };
  CHECK(of(SSL_R_HTTP_REQUEST) == HandshakeFailure::plain_http);
  CHECK(of(SSL_R_WRONG_VERSION_NUMBER) == HandshakeFailure::not_tls);
  CHECK(of(SSL_R_UNSUPPORTED_PROTOCOL) == HandshakeFailure::no_shared_version);
  CHECK(of(SSL_R_NO_SHARED_CIPHER) == HandshakeFailure::no_shared_cipher);
  CHECK(of(SSL_R_NO_APPLICATION_PROTOCOL) == HandshakeFailure::no_shared_protocol);
  CHECK(of(SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE) == HandshakeFailure::client_certificate);
  CHECK(of(SSL_R_TLSV1_ALERT_UNKNOWN_CA) == HandshakeFailure::refused_ours);
  CHECK(of(SSL_R_BAD_SIGNATURE) == HandshakeFailure::protocol);
  CHECK(failure_of(0) == HandshakeFailure::protocol);
}
