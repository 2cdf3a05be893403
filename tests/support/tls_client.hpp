#pragma once
// The other end of a tls::Session, in memory: bytes are passed by hand, so a test decides what arrives when.
#include <openssl/err.h>
#include <openssl/ssl.h>

#include <array>
#include <memory>
#include <string>

#include "router/engine/transform.hpp"
#include "tests/support/made_certificate.hpp"

namespace gray::test {

struct Gathered final : engine::CipherSink {
  std::string bytes;
  void put(std::string_view more) override { bytes += more; }
};

class TlsClient {
 public:
  struct Options {
    std::string host = "localhost";                // the name in the ClientHello; empty: none
    const MadeCertificate* certificate = nullptr;  // of the client
    int version = 0;                               // TLS1_2_VERSION; 0: the newest
    std::string protocols;                         // ALPN, as it is sent; empty: none
    SSL_SESSION* resume = nullptr;
  };
  TlsClient() : TlsClient(Options{}) {}
  explicit TlsClient(const Options& options) : context_(SSL_CTX_new(TLS_client_method()), SSL_CTX_free) {
    SSL_CTX_set_session_cache_mode(context_.get(), SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
    SSL_CTX_sess_set_new_cb(context_.get(), [](SSL* ssl, SSL_SESSION* session) {
      static_cast<TlsClient*>(SSL_get_app_data(ssl))->ticket.reset(session, SSL_SESSION_free);
      return 1;
    });
    if (options.version != 0) {
      SSL_CTX_set_min_proto_version(context_.get(), options.version);
      SSL_CTX_set_max_proto_version(context_.get(), options.version);
    }
    ssl_.reset(SSL_new(context_.get()), SSL_free);
    SSL_set_app_data(ssl(), this);
    SSL_set_bio(ssl(), BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
    SSL_set_connect_state(ssl());
    if (!options.host.empty()) SSL_set_tlsext_host_name(ssl(), options.host.c_str());
    if (options.certificate != nullptr) {
      SSL_use_certificate(ssl(), options.certificate->certificate.get());
      SSL_use_PrivateKey(ssl(), options.certificate->key.get());
    }
    if (!options.protocols.empty())
      SSL_set_alpn_protos(ssl(), reinterpret_cast<const unsigned char*>(options.protocols.data()),
                          static_cast<unsigned>(options.protocols.size()));
    if (options.resume != nullptr) SSL_set_session(ssl(), options.resume);
  }
  SSL* ssl() const { return ssl_.get(); }

  /// Takes what the server has sent, goes on with the handshake, and returns what is to be sent.
  std::string handshake(std::string_view received = {}) {
    feed(received);
    ERR_clear_error();
    (void)SSL_do_handshake(ssl());
    return to_send();
  }
  bool complete() const { return SSL_is_init_finished(ssl()) == 1; }
  std::string encrypt(std::string_view clear) {
    REQUIRE(SSL_write(ssl(), clear.data(), static_cast<int>(clear.size())) == static_cast<int>(clear.size()));
    return to_send();
  }
  std::string decrypt(std::string_view received) {
    feed(received);
    std::string clear;
    std::array<char, 4096> part;
    int got = 0;
    while ((got = SSL_read(ssl(), part.data(), part.size())) > 0)
      clear.append(part.data(), static_cast<std::size_t>(got));
    ended = SSL_get_error(ssl(), got) == SSL_ERROR_ZERO_RETURN;
    ERR_clear_error();
    return clear;
  }
  std::string finish() {
    SSL_shutdown(ssl());
    return to_send();
  }
  std::string to_send() {
    char* bytes = nullptr;
    BIO* const out = SSL_get_wbio(ssl());
    const long size = BIO_get_mem_data(out, &bytes);
    std::string all(bytes, static_cast<std::size_t>(size));
    (void)BIO_reset(out);
    return all;
  }

  bool ended = false;                   // close_notify has come
  std::shared_ptr<SSL_SESSION> ticket;  // the newest

 private:
  void feed(std::string_view bytes) {
    if (!bytes.empty()) BIO_write(SSL_get_rbio(ssl()), bytes.data(), static_cast<int>(bytes.size()));
  }

  std::shared_ptr<SSL_CTX> context_;
  std::shared_ptr<SSL> ssl_;
};

}  // namespace gray::test
