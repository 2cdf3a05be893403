#pragma once
// Who a verified client certificate is for, as the text of X-Forwarded-Client-Cert: the form that Envoy gives the
// field, so that services need not be changed. Made once for a connection.
#include <openssl/x509.h>

#include <cstddef>
#include <string>

namespace gray::tls {

inline constexpr std::size_t kMaxIdentity = 4 * 1024;  // bytes of the text

/// `Hash=HEX;Subject="...";URI=...;DNS=...`: the SHA-256 of the certificate, its subject (RFC 2253), and the names of
/// its subjectAltName, at most kMaxIdentity bytes: names that do not fit are left out.
std::string identity_text(X509* certificate);

/// The value of a pair, in quotes if it has a character that separates pairs. Bytes that cannot be in a field are
/// replaced by '?'.
std::string quoted(std::string_view value);

}  // namespace gray::tls
