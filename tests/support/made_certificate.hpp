#pragma once
// Certificates for tests, as PEM texts. Each has a key of its own (ECDSA, P-256).
#include <doctest/doctest.h>
#include <openssl/bio.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <memory>
#include <string>
#include <vector>

#include "config/shared/tls_secrets.hpp"

namespace gray::test {

struct MadeCertificate {
  std::shared_ptr<X509> certificate;
  std::shared_ptr<EVP_PKEY> key;

  std::string pem() const {
    return text([&](BIO* out) { PEM_write_bio_X509(out, certificate.get()); });
  }
  std::string key_pem() const {
    return text([&](BIO* out) { PEM_write_bio_PrivateKey(out, key.get(), nullptr, nullptr, 0, nullptr, nullptr); });
  }
  template <typename Write>
  static std::string text(Write write) {
    BIO* const out = BIO_new(BIO_s_mem());
    write(out);
    char* bytes = nullptr;
    const long size = BIO_get_mem_data(out, &bytes);
    std::string result(bytes, static_cast<std::size_t>(size));
    BIO_free(out);
    return result;
  }
};

/// What a certificate says; times in seconds from now.
struct Wanted {
  std::string name = "localhost";  // common name
  std::string alternatives = "";   // "DNS:a.example,DNS:b.example,URI:..."; empty: no such extension
  long from = -3'600, to = 3'600;
  bool ca = false;
  const MadeCertificate* by = nullptr;  // null: signed by itself
};

inline MadeCertificate made(const Wanted& wanted) {
  MadeCertificate made{std::shared_ptr<X509>(X509_new(), X509_free),
                       std::shared_ptr<EVP_PKEY>(EVP_EC_gen("P-256"), EVP_PKEY_free)};
  static long serial = 1;
  X509* const one = made.certificate.get();
  const X509* const issuer = wanted.by == nullptr ? one : wanted.by->certificate.get();
  X509_set_version(one, X509_VERSION_3);
  ASN1_INTEGER_set(X509_get_serialNumber(one), ++serial);
  X509_gmtime_adj(X509_getm_notBefore(one), wanted.from);
  X509_gmtime_adj(X509_getm_notAfter(one), wanted.to);
  X509_set_pubkey(one, made.key.get());
  X509_NAME_add_entry_by_txt(X509_get_subject_name(one), "CN", MBSTRING_UTF8,
                             reinterpret_cast<const unsigned char*>(wanted.name.c_str()), -1, -1, 0);
  X509_set_issuer_name(one, X509_get_subject_name(issuer));
  const auto add = [&](int kind, const std::string& value) {
    X509V3_CTX context;
    X509V3_set_ctx(&context, const_cast<X509*>(issuer), one, nullptr, nullptr, 0);
    X509_EXTENSION* const extension = X509V3_EXT_conf_nid(nullptr, &context, kind, value.c_str());
    REQUIRE(extension != nullptr);
    X509_add_ext(one, extension, -1);
    X509_EXTENSION_free(extension);
  };
  if (wanted.ca) add(NID_basic_constraints, "critical,CA:TRUE");
  if (wanted.ca) add(NID_key_usage, "critical,keyCertSign,cRLSign");
  if (!wanted.alternatives.empty()) add(NID_subject_alt_name, wanted.alternatives);
  REQUIRE(X509_sign(one, wanted.by == nullptr ? made.key.get() : wanted.by->key.get(), EVP_sha256()) > 0);
  return made;
}

/// A revocation list of `ca`; `to`: seconds from now.
inline std::string revocations(const MadeCertificate& ca, const std::vector<const MadeCertificate*>& revoked,
                               long to = 3'600) {
  const std::shared_ptr<X509_CRL> list(X509_CRL_new(), X509_CRL_free);
  X509_CRL_set_version(list.get(), X509_CRL_VERSION_2);
  X509_CRL_set_issuer_name(list.get(), X509_get_subject_name(ca.certificate.get()));
  const std::shared_ptr<ASN1_TIME> time(ASN1_TIME_new(), ASN1_TIME_free);
  X509_gmtime_adj(time.get(), -7'200);
  X509_CRL_set1_lastUpdate(list.get(), time.get());
  for (const MadeCertificate* const one : revoked) {
    X509_REVOKED* const entry = X509_REVOKED_new();
    X509_REVOKED_set_serialNumber(entry, X509_get_serialNumber(one->certificate.get()));
    X509_REVOKED_set_revocationDate(entry, time.get());
    X509_CRL_add0_revoked(list.get(), entry);
  }
  X509_gmtime_adj(time.get(), to);
  X509_CRL_set1_nextUpdate(list.get(), time.get());
  REQUIRE(X509_CRL_sign(list.get(), ca.key.get(), EVP_sha256()) > 0);
  return MadeCertificate::text([&](BIO* out) { PEM_write_bio_X509_CRL(out, list.get()); });
}

/// `[tls.NAME]` with this certificate.
inline TlsIdentity identity_of(const std::string& name, const MadeCertificate& one,
                               std::vector<std::string> hosts = {}) {
  TlsIdentity identity;
  identity.name = name;
  identity.hosts_given = !hosts.empty();
  identity.hosts = std::move(hosts);
  identity.certificate = one.pem();
  identity.key = one.key_pem();
  return identity;
}

/// Three different keys for tickets; `first` begins the first one.
inline std::vector<std::string> ticket_keys(char first = '0') {
  return {std::string(160, first), std::string(160, 'a'), std::string(160, 'b')};
}

}  // namespace gray::test
