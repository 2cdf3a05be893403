#pragma once
// Which certificate a client gets, and whether it must have one of its own: decided by the host that it names. Built
// from the secrets of the master by a thread that serves no client, then shared by all threads, and never changed:
// new secrets make a new object. A connection keeps what it began with.
//
// Invariants
//  - The host decides in the callback for the ClientHello, before OpenSSL looks for a session: else a ticket of an open
//    host would resume a session at a guarded one, without a certificate (CVE-2025-23419).
//  - A policy that asks for client certificates gives no tickets and takes none.
//  - Two policies of the same `group` ask clients for the same proof.
// Throws std::runtime_error from its constructor; everything else does not fail.
#include <openssl/ssl.h>

#include <array>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "config/shared/tls_secrets.hpp"
#include "router/tls/host_names.hpp"
#include "router/tls/ticket_keys.hpp"

namespace gray::tls {

struct FreeContext {
  void operator()(SSL_CTX* context) const { SSL_CTX_free(context); }
};
using Context = std::unique_ptr<SSL_CTX, FreeContext>;

struct Policy {
  std::string name;  // of its [tls.NAME]
  ClientAuth client_auth = ClientAuth::off;
  std::array<unsigned char, 32> group{};  // a hash of what clients have to prove
  Context context;                        // certificate and key; with client_auth also CA and CRL
};

/// "http/1.1", or h2 before it.
struct Protocols {
  bool h2 = false;
};

class Policies {
 public:
  /// `former`: contexts of identities that have not changed are taken from it.
  Policies(const TlsSecrets& secrets, Protocols protocols, const Policies* former = nullptr);
  Policies(const Policies&) = delete;
  Policies& operator=(const Policies&) = delete;

  /// Of a host in any case, without a port; the default for one that no certificate is for.
  const Policy& of_host(std::string_view host) const { return *policies_[names_.find(host)]; }
  /// A new session of a client.
  SSL* new_session() const { return SSL_new(listener_.get()); }
  /// In the callbacks of OpenSSL.
  static const Policies& of(SSL* session);
  /// Whether any host asks for client certificates.
  bool guards() const { return guards_; }
  const TicketKeys& ticket_keys() const { return ticket_keys_; }
  Protocols protocols() const { return protocols_; }
  /// Sets certificate and rules of `session`; called from the callback for the ClientHello. False: it could not.
  [[nodiscard]] bool choose(SSL* session, std::string_view host) const;

 private:
  void add_names(const std::vector<TlsIdentity>& identities);

  std::map<std::string, TlsIdentity> identities_;  // by name
  std::vector<std::shared_ptr<const Policy>> policies_;
  HostNames names_;
  TicketKeys ticket_keys_;
  Protocols protocols_;
  Context listener_;
  bool guards_ = false;
};

/// The host that a ClientHello names (RFC 6066 3): the content of the extension; empty for one that is not valid.
std::string_view server_name(std::string_view extension);

}  // namespace gray::tls
