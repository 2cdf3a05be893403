#pragma once
// What routers need to speak TLS: certificates with their keys, and the keys of session tickets. The master sends it
// whole, in a sealed memfd of its own, and never writes it to a disk. A copy is never printed or logged.
#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config/settings/tls.hpp"

namespace gray {

/// One `[tls.NAME]` with the content of its files.
struct TlsIdentity {
  std::string name;
  std::vector<std::string> hosts;  // lower case; "*.example.com": exactly one label before it
  bool hosts_given = false;        // by the configuration; else they are the names in the certificate
  std::string certificate, key;    // PEM
  ClientAuth client_auth = ClientAuth::off;
  std::string client_ca, client_crl;  // PEM; empty: none
  template <class Io>
  void archive(Io& io) {
    io("name", name);
    io("hosts", hosts);
    io("hosts_given", hosts_given);
    io("certificate", certificate);
    io("key", key);
    io("client_auth", client_auth);
    io("client_ca", client_ca);
    io("client_crl", client_crl);
  }
  bool operator==(const TlsIdentity&) const = default;
};

struct TlsSecrets {
  static constexpr std::size_t kTicketKey = 80;       // bytes: a name of 16, then 32 for HMAC and 32 for AES
  static constexpr std::size_t kMaxBytes = 16 << 20;  // of the text below

  std::vector<TlsIdentity> identities;  // the first one is the default
  /// In hexadecimal digits. The first one makes tickets, all read them: the current, the former, the next one.
  std::vector<std::string> ticket_keys;
  template <class Io>
  void archive(Io& io) {
    io("identities", identities);
    io("ticket_keys", ticket_keys);
  }
  bool operator==(const TlsSecrets&) const = default;
};

std::string to_json_text(const TlsSecrets& secrets);
/// Nothing, with the reason in `error`, for a text that is not one.
std::optional<TlsSecrets> tls_secrets_from_json(std::string_view text, std::string& error);

}  // namespace gray
