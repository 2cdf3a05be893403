#include "router/tls/ticket_keys.hpp"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <openssl/rand.h>

#include <algorithm>
#include <cstring>
#include <stdexcept>

#include "config/shared/tls_secrets.hpp"
#include "router/tls/policies.hpp"

namespace gray::tls {
namespace {

// Fetched once: a fetch for each ticket would cost more than the ticket.
const EVP_CIPHER* ticket_cipher() {
  static const EVP_CIPHER* const cipher = EVP_CIPHER_fetch(nullptr, "AES-256-CBC", nullptr);
  return cipher;
}

}  // namespace

TicketKeys::TicketKeys(const std::vector<std::string>& keys) {
  for (const std::string& text : keys) {
    std::array<unsigned char, TlsSecrets::kTicketKey> bytes;
    std::size_t length = 0;
    if (text.size() != 2 * bytes.size() ||
        OPENSSL_hexstr2buf_ex(bytes.data(), bytes.size(), &length, text.c_str(), '\0') != 1)
      throw std::runtime_error("a ticket key is not valid");
    Key& key = keys_.emplace_back();
    std::memcpy(key.name.data(), bytes.data(), key.name.size());
    std::memcpy(key.mac.data(), bytes.data() + key.name.size(), key.mac.size());
    std::memcpy(key.cipher.data(), bytes.data() + key.name.size() + key.mac.size(), key.cipher.size());
    OPENSSL_cleanse(bytes.data(), bytes.size());
  }
}

TicketKeys::~TicketKeys() {
  if (!keys_.empty()) OPENSSL_cleanse(keys_.data(), keys_.size() * sizeof(Key));
}

void TicketKeys::install(SSL_CTX* context) { SSL_CTX_set_tlsext_ticket_key_evp_cb(context, use); }

// 0: no ticket is made, or the ticket is not known; 1: it is good; 2: it is good, and a new one is to be made.
int TicketKeys::use(SSL* session, unsigned char* name, unsigned char* iv, EVP_CIPHER_CTX* cipher, EVP_MAC_CTX* mac,
                    int makes) {
  const std::vector<Key>& keys = Policies::of(session).ticket_keys().keys_;
  if (keys.empty()) return 0;
  auto key = keys.begin();
  if (makes == 0) {
    key = std::find_if(keys.begin(), keys.end(),
                       [&](const Key& one) { return std::memcmp(one.name.data(), name, one.name.size()) == 0; });
    if (key == keys.end()) return 0;
  } else {
    if (RAND_bytes(iv, EVP_CIPHER_get_iv_length(ticket_cipher())) != 1) return -1;
    std::memcpy(name, key->name.data(), key->name.size());
  }
  char digest[] = "SHA256";
  const OSSL_PARAM parameters[] = {
      OSSL_PARAM_construct_octet_string(OSSL_MAC_PARAM_KEY, const_cast<unsigned char*>(key->mac.data()),
                                        key->mac.size()),
      OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0), OSSL_PARAM_construct_end()};
  if (EVP_MAC_CTX_set_params(mac, parameters) != 1) return -1;
  const int begun = makes != 0 ? EVP_EncryptInit_ex(cipher, ticket_cipher(), nullptr, key->cipher.data(), iv)
                               : EVP_DecryptInit_ex(cipher, ticket_cipher(), nullptr, key->cipher.data(), iv);
  if (begun != 1) return -1;
  return makes == 0 && key != keys.begin() ? 2 : 1;
}

}  // namespace gray::tls
