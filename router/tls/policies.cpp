#include "router/tls/policies.hpp"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/x509_vfy.h>

#include <cstring>
#include <stdexcept>

#include "router/tls/certificate.hpp"
#include "router/tls/session.hpp"

namespace gray::tls {
namespace {

// TLS 1.2: forward secrecy and authenticated encryption only, as HTTP/2 requires (RFC 9113 9.2.2). TLS 1.3: the one
// that hardware makes fastest first.
constexpr const char* kCiphers12 =
    "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384:"
    "ECDHE-RSA-AES256-GCM-SHA384:ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305";
constexpr const char* kCiphers13 = "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256";
constexpr const char* kGroups = "X25519:P-256:P-384";
constexpr int kMostClientCertificates = 64 * 1024;  // bytes of what a client sends as its chain
constexpr int kDeepestClientChain = 4;              // CAs between a client's certificate and the trusted one

void checked(bool good, const char* what) {
  if (!good) throw std::runtime_error(std::string(what) + ": " + openssl_error());
}

std::array<unsigned char, 32> group_of(const TlsIdentity& identity) {
  std::array<unsigned char, 32> group{};
  if (identity.client_auth == ClientAuth::off) return group;
  const std::string text =
      std::string(name_of(identity.client_auth)) + '\n' + identity.client_ca + '\n' + identity.client_crl;
  checked(EVP_Digest(text.data(), text.size(), group.data(), nullptr, EVP_sha256(), nullptr) == 1, "hash");
  return group;
}

int choose_policy(SSL* session, int* alert, void*) {
  const unsigned char* extension = nullptr;
  std::size_t size = 0;
  std::string_view host;
  if (SSL_client_hello_get0_ext(session, TLSEXT_TYPE_server_name, &extension, &size) == 1)
    host = server_name({reinterpret_cast<const char*>(extension), size});
  if (!Policies::of(session).choose(session, host)) {
    *alert = SSL_AD_INTERNAL_ERROR;
    return SSL_CLIENT_HELLO_ERROR;
  }
  return SSL_CLIENT_HELLO_SUCCESS;
}

// Our order decides. A client that offers only others is refused (RFC 7301 3.2).
int choose_protocol(SSL* session, const unsigned char** out, unsigned char* length, const unsigned char* offered,
                    unsigned offered_length, void*) {
  constexpr std::string_view kOurs = "\x02h2\x08http/1.1";
  const std::string_view ours = Policies::of(session).protocols().h2 ? kOurs : kOurs.substr(3);
  unsigned char* chosen = nullptr;
  const int result = SSL_select_next_proto(&chosen, length, reinterpret_cast<const unsigned char*>(ours.data()),
                                           static_cast<unsigned>(ours.size()), offered, offered_length);
  *out = chosen;
  return result == OPENSSL_NPN_NEGOTIATED ? SSL_TLSEXT_ERR_OK : SSL_TLSEXT_ERR_ALERT_FATAL;
}

// A session takes some settings of the context that it was made with, and others of that of its policy, so all
// contexts have the same.
Context new_context() {
  Context made(SSL_CTX_new(TLS_server_method()));
  SSL_CTX* const context = made.get();
  checked(context != nullptr, "a TLS context");
  SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
  checked(SSL_CTX_set_cipher_list(context, kCiphers12) == 1, "the ciphers of TLS 1.2");
  checked(SSL_CTX_set_ciphersuites(context, kCiphers13) == 1, "the ciphers of TLS 1.3");
  checked(SSL_CTX_set1_groups_list(context, kGroups) == 1, "the groups");
  SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION | SSL_OP_CIPHER_SERVER_PREFERENCE);
  SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS);
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
  SSL_CTX_set_num_tickets(context, 1);
  SSL_CTX_set_max_early_data(context, 0);
  SSL_CTX_set_max_cert_list(context, kMostClientCertificates);
  SSL_CTX_set_alpn_select_cb(context, choose_protocol, nullptr);
  return made;
}

std::shared_ptr<const Policy> make_policy(const TlsIdentity& identity) {
  auto policy = std::make_shared<Policy>();
  policy->name = identity.name;
  policy->client_auth = identity.client_auth;
  policy->group = group_of(identity);
  policy->context = new_context();
  SSL_CTX* const context = policy->context.get();
  const auto chain = read_chain(identity.certificate);
  const auto key = read_key(identity.key);
  checked(SSL_CTX_use_certificate(context, chain.front().get()) == 1, "the certificate");
  checked(SSL_CTX_use_PrivateKey(context, key.get()) == 1, "the key");
  for (std::size_t i = 1; i < chain.size(); ++i)
    checked(SSL_CTX_add1_chain_cert(context, chain[i].get()) == 1, "the chain of the certificate");
  if (identity.client_auth == ClientAuth::off) return policy;
  SSL_CTX_set_cert_store(context, read_client_store(identity).release());
  for (const Certificate& ca : read_chain(identity.client_ca, BadPem::File::client_ca))
    checked(SSL_CTX_add_client_CA(context, ca.get()) == 1, "the CA of clients");
  return policy;
}

Context make_listener() {
  Context listener = new_context();
  SSL_CTX_set_client_hello_cb(listener.get(), choose_policy, nullptr);
  SSL_CTX_set_msg_callback(listener.get(), Session::see_message);
  TicketKeys::install(listener.get());
  return listener;
}

}  // namespace

std::string_view server_name(std::string_view extension) {
  const auto number = [&](std::size_t at) {
    return static_cast<std::size_t>(static_cast<unsigned char>(extension[at]) << 8 |
                                    static_cast<unsigned char>(extension[at + 1]));
  };
  constexpr std::size_t kHead = 5;  // the length of the list, the type 0 (host_name), the length of the name
  if (extension.size() < kHead || number(0) != extension.size() - 2 || extension[2] != 0) return {};
  const std::size_t length = number(3);
  if (length > extension.size() - kHead) return {};
  const std::string_view name = extension.substr(kHead, length);
  return name.find('\0') == name.npos ? name : std::string_view();
}

Policies::Policies(const TlsSecrets& secrets, Protocols protocols, const Policies* former)
    : ticket_keys_(secrets.ticket_keys), protocols_(protocols) {
  for (const TlsIdentity& identity : secrets.identities) {
    std::shared_ptr<const Policy> policy;
    if (former != nullptr) {
      const auto found = former->identities_.find(identity.name);
      if (found != former->identities_.end() && found->second == identity) {
        for (const auto& one : former->policies_)
          if (one->name == identity.name) policy = one;
      }
    }
    policies_.push_back(policy ? std::move(policy) : make_policy(identity));
    identities_.emplace(identity.name, identity);
    guards_ = guards_ || identity.client_auth != ClientAuth::off;
  }
  add_names(secrets.identities);
  if (policies_.empty()) throw std::runtime_error("there is no certificate");
  listener_ = make_listener();
}

// Of certificates with the same name in them, one that is guarded gets the host.
void Policies::add_names(const std::vector<TlsIdentity>& identities) {
  for (const bool guarded : {true, false}) {
    for (std::size_t i = 0; i < identities.size(); ++i) {
      const TlsIdentity& identity = identities[i];
      if ((identity.client_auth != ClientAuth::off) != guarded) continue;
      const auto from = identity.hosts_given ? HostNames::From::configuration : HostNames::From::certificate;
      for (const std::string& host : identity.hosts) names_.add(host, i, from);
    }
  }
}

const Policies& Policies::of(SSL* session) {
  // The callbacks come before or after choose(): the context of a session may be that of its policy.
  return Session::of(session).policies();
}

bool Policies::choose(SSL* session, std::string_view host) const {
  const Policy& policy = of_host(host);
  Session::of(session).set_policy(policy);
  if (SSL_set_SSL_CTX(session, policy.context.get()) == nullptr) return false;  // takes the certificate only
  const auto size = static_cast<unsigned>(policy.group.size());
  if (SSL_set_session_id_context(session, policy.group.data(), size) != 1) return false;
  if (policy.client_auth == ClientAuth::off) return true;
  const int needs = policy.client_auth == ClientAuth::required ? SSL_VERIFY_FAIL_IF_NO_PEER_CERT : 0;
  SSL_set_verify(session, SSL_VERIFY_PEER | needs, nullptr);
  SSL_set_verify_depth(session, kDeepestClientChain);
  if (SSL_set1_verify_cert_store(session, SSL_CTX_get_cert_store(policy.context.get())) != 1) return false;
  SSL_set_client_CA_list(session, SSL_dup_CA_list(SSL_CTX_get_client_CA_list(policy.context.get())));
  SSL_set_options(session, SSL_OP_NO_TICKET);
  return SSL_set_num_tickets(session, 0) == 1;
}

}  // namespace gray::tls
