#pragma once
// Certificates, keys, CAs and revocation lists as PEM texts: read and compared. Never called for a request. A text that
// is not valid is an error with a reason for people, never a partial result.
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include <cstdint>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "config/shared/tls_secrets.hpp"

namespace gray::tls {

/// What is wrong with the content of a file, without its name.
class BadPem : public std::runtime_error {
 public:
  enum class File : std::uint8_t { certificate, key, client_ca, client_crl };
  BadPem(File which, const std::string& why) : std::runtime_error(why), file(which) {}
  File file;
};

struct FreeX509 {
  void operator()(X509* certificate) const { X509_free(certificate); }
  void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
  void operator()(X509_STORE* store) const { X509_STORE_free(store); }
  void operator()(X509_CRL* list) const { X509_CRL_free(list); }
  void operator()(SSL_CTX* context) const { SSL_CTX_free(context); }
};
using Certificate = std::unique_ptr<X509, FreeX509>;
using PrivateKey = std::unique_ptr<EVP_PKEY, FreeX509>;
using Store = std::unique_ptr<X509_STORE, FreeX509>;

/// The certificates of a text, the own one first. Throws BadPem if there is none, or if one cannot be read.
std::vector<Certificate> read_chain(std::string_view pem, BadPem::File file = BadPem::File::certificate);
/// Throws BadPem.
PrivateKey read_key(std::string_view pem);
/// What clients are checked against. Throws BadPem.
Store read_client_store(const TlsIdentity& identity);

/// The names of a certificate: DNS names of its subjectAltName, in lower case; without one its common name.
std::vector<std::string> names_of(X509* certificate);

struct CertificateFacts {
  std::vector<std::string> names;
  std::int64_t not_after = 0;  // seconds since 1970
};
/// Checks all that grayd needs of an identity: every text can be read, the key is that of the certificate, which is
/// valid at `now` (seconds since 1970), and the revocation list is not too old. Throws BadPem.
CertificateFacts check(const TlsIdentity& identity, std::int64_t now);

/// The newest error of OpenSSL on this thread, in words; clears all.
std::string openssl_error();

}  // namespace gray::tls
