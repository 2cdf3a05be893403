#include "router/tls/certificate.hpp"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <ctime>

#include "config/base/wall_time.hpp"

namespace gray::tls {
namespace {

using File = BadPem::File;

struct FreeBio {
  void operator()(BIO* bio) const { BIO_free(bio); }
  void operator()(GENERAL_NAMES* names) const { GENERAL_NAMES_free(names); }
};

std::unique_ptr<BIO, FreeBio> bio_of(std::string_view text) {
  return std::unique_ptr<BIO, FreeBio>(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
}

/// A key with a passphrase cannot be used: nobody is there to type it.
int no_passphrase(char*, int, int, void*) { return -1; }

/// Whether the last error only says that the text has no more blocks.
bool at_end() {
  const unsigned long error = ERR_peek_last_error();
  return ERR_GET_LIB(error) == ERR_LIB_PEM && ERR_GET_REASON(error) == PEM_R_NO_START_LINE;
}

std::int64_t seconds_of(const ASN1_TIME* time) {
  std::tm parts{};
  return ASN1_TIME_to_tm(time, &parts) == 1 ? ::timegm(&parts) : 0;
}

std::string date_of(std::int64_t seconds) { return rfc3339(WallTime(std::chrono::seconds(seconds))); }

void check_dates(X509* certificate, std::int64_t now, CertificateFacts& facts) {
  facts.not_after = seconds_of(X509_get0_notAfter(certificate));
  const std::int64_t not_before = seconds_of(X509_get0_notBefore(certificate));
  if (facts.not_after <= now) throw BadPem(File::certificate, "it expired at " + date_of(facts.not_after));
  if (not_before > now) throw BadPem(File::certificate, "it is valid only from " + date_of(not_before));
}

/// What OpenSSL does not take for security, such as short RSA keys and SHA-1.
void check_use(const std::vector<Certificate>& chain) {
  const std::unique_ptr<SSL_CTX, FreeX509> trial(SSL_CTX_new(TLS_server_method()));
  bool good = trial != nullptr && SSL_CTX_use_certificate(trial.get(), chain.front().get()) == 1;
  for (std::size_t i = 1; good && i < chain.size(); ++i)
    good = SSL_CTX_add1_chain_cert(trial.get(), chain[i].get()) == 1;
  if (!good) throw BadPem(File::certificate, "it cannot be used for TLS: " + openssl_error());
}

void add_revocations(X509_STORE* store, std::string_view pem) {
  const auto bio = bio_of(pem);
  std::size_t count = 0;
  while (X509_CRL* const list = PEM_read_bio_X509_CRL(bio.get(), nullptr, no_passphrase, nullptr)) {
    const std::unique_ptr<X509_CRL, FreeX509> owner(list);
    if (X509_STORE_add_crl(store, list) != 1) throw BadPem(File::client_crl, openssl_error());
    ++count;
  }
  if (!at_end() || count == 0) {
    const std::string why = openssl_error();
    throw BadPem(File::client_crl, count == 0 ? "it contains no revocation list (PEM)" : why);
  }
  ERR_clear_error();
}

void check_revocations(std::string_view pem, std::int64_t now) {
  const auto bio = bio_of(pem);
  while (X509_CRL* const list = PEM_read_bio_X509_CRL(bio.get(), nullptr, no_passphrase, nullptr)) {
    const std::unique_ptr<X509_CRL, FreeX509> owner(list);
    const ASN1_TIME* const next = X509_CRL_get0_nextUpdate(list);
    if (next != nullptr && seconds_of(next) <= now)
      throw BadPem(File::client_crl,
                   "it expired at " + date_of(seconds_of(next)) + ": no client certificate could be accepted");
  }
  ERR_clear_error();
}

}  // namespace

std::string openssl_error() {
  const unsigned long error = ERR_peek_last_error();
  const char* const reason = ERR_reason_error_string(error);
  ERR_clear_error();
  return reason == nullptr ? "it cannot be read" : reason;
}

std::vector<Certificate> read_chain(std::string_view pem, File file) {
  ERR_clear_error();
  const auto bio = bio_of(pem);
  std::vector<Certificate> chain;
  while (X509* const one = PEM_read_bio_X509(bio.get(), nullptr, no_passphrase, nullptr)) chain.emplace_back(one);
  const bool complete = at_end();
  const std::string why = openssl_error();
  if (!complete) throw BadPem(file, "a certificate in it cannot be read: " + why);
  if (chain.empty()) throw BadPem(file, "it contains no certificate (PEM)");
  return chain;
}

PrivateKey read_key(std::string_view pem) {
  ERR_clear_error();
  const auto bio = bio_of(pem);
  PrivateKey key(PEM_read_bio_PrivateKey(bio.get(), nullptr, no_passphrase, nullptr));
  const std::string why = openssl_error();
  if (pem.find("PRIVATE KEY-----") == pem.npos) throw BadPem(File::key, "it contains no private key (PEM)");
  if (key == nullptr)
    throw BadPem(File::key, "the private key cannot be read (one with a passphrase cannot be used): " + why);
  return key;
}

Store read_client_store(const TlsIdentity& identity) {
  Store store(X509_STORE_new());
  for (const Certificate& ca : read_chain(identity.client_ca, File::client_ca))
    if (X509_STORE_add_cert(store.get(), ca.get()) != 1) throw BadPem(File::client_ca, openssl_error());
  if (identity.client_crl.empty()) return store;
  add_revocations(store.get(), identity.client_crl);
  X509_STORE_set_flags(store.get(), X509_V_FLAG_CRL_CHECK);
  return store;
}

std::vector<std::string> names_of(X509* certificate) {
  std::vector<std::string> names;
  const auto add = [&](const ASN1_STRING* text) {
    const auto* const bytes = reinterpret_cast<const char*>(ASN1_STRING_get0_data(text));
    std::string name(bytes, static_cast<std::size_t>(ASN1_STRING_length(text)));
    if (name.find('\0') != name.npos) return;
    for (char& c : name)
      if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    if (std::find(names.begin(), names.end(), name) == names.end()) names.push_back(std::move(name));
  };
  const std::unique_ptr<GENERAL_NAMES, FreeBio> all(
      static_cast<GENERAL_NAMES*>(X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr)));
  for (int i = 0; i < sk_GENERAL_NAME_num(all.get()); ++i) {
    const GENERAL_NAME* const name = sk_GENERAL_NAME_value(all.get(), i);
    if (name->type == GEN_DNS) add(name->d.dNSName);
  }
  if (all != nullptr) return names;
  const X509_NAME* const subject = X509_get_subject_name(certificate);
  const int at = X509_NAME_get_index_by_NID(subject, NID_commonName, -1);
  if (at >= 0) add(X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, at)));
  return names;
}

CertificateFacts check(const TlsIdentity& identity, std::int64_t now) {
  CertificateFacts facts;
  const auto chain = read_chain(identity.certificate);
  const auto key = read_key(identity.key);
  if (X509_check_private_key(chain.front().get(), key.get()) != 1) {
    ERR_clear_error();
    throw BadPem(File::key, "it is not the key of the certificate");
  }
  check_use(chain);
  check_dates(chain.front().get(), now, facts);
  facts.names = names_of(chain.front().get());
  if (identity.client_auth == ClientAuth::off) return facts;
  (void)read_client_store(identity);
  check_revocations(identity.client_crl, now);
  return facts;
}

}  // namespace gray::tls
