#pragma once
// The keys of session tickets (RFC 5077, RFC 8446 4.6.1). All routers have the same, so a session can be resumed after
// an upgrade of a router or of grayd. The first key makes tickets; the others only read them.
#include <openssl/ssl.h>

#include <array>
#include <string>
#include <vector>

namespace gray::tls {

class TicketKeys {
 public:
  TicketKeys() = default;
  /// Each of TlsSecrets::kTicketKey bytes, in hexadecimal digits. Throws std::runtime_error for other texts.
  explicit TicketKeys(const std::vector<std::string>& keys);
  TicketKeys(const TicketKeys&) = delete;
  TicketKeys(TicketKeys&& other) noexcept = default;
  TicketKeys& operator=(TicketKeys&& other) noexcept = default;
  ~TicketKeys();

  /// Makes sessions of `context` use the keys; called once the keys have their place in Policies.
  static void install(SSL_CTX* context);

 private:
  struct Key {
    std::array<unsigned char, 16> name;
    std::array<unsigned char, 32> mac, cipher;
  };
  static int use(SSL* session, unsigned char* name, unsigned char* iv, EVP_CIPHER_CTX* cipher, EVP_MAC_CTX* mac,
                 int makes);

  std::vector<Key> keys_;
};

}  // namespace gray::tls
