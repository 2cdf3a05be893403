#pragma once
// One TLS connection of a client, as a transform of the engine: OpenSSL with a BIO over the bytes that the engine has
// read, and over the bytes that it is to send. Nothing is read or written behind the back of the engine.
//
// Invariants
//  - Until the first byte there is no SSL object: a silent connection costs only this one.
//  - A read of the engine is decrypted completely; only an incomplete record stays in OpenSSL.
//  - After the handshake a policy that requires a client certificate has a verified one, whatever OpenSSL resumed.
//  - The clear bytes of an error that the client is to read are sent only if it speaks no TLS.
// One thread.
#include <openssl/ssl.h>

#include <cstdint>
#include <memory>
#include <string>

#include "router/engine/memory_budget.hpp"
#include "router/engine/transform.hpp"
#include "router/tls/handshake_failure.hpp"
#include "router/tls/policies.hpp"

namespace gray::tls {

class Session final : public engine::Transform {
 public:
  /// What OpenSSL 3.0 holds for an open connection, measured.
  static constexpr std::size_t kOpenBytes = 14 * 1024;

  Session(std::shared_ptr<const Policies> policies, engine::MemoryBudget& memory)
      : policies_(std::move(policies)), budget_(memory) {}
  ~Session() override;
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  Received receive(std::string_view bytes, std::span<char> clear, engine::CipherSink& sink) override;
  bool send(std::string_view clear, engine::CipherSink& sink) override;
  void finish(engine::CipherSink& sink) override;
  bool open() const override { return open_; }
  bool begun() const override { return ssl_ != nullptr; }
  std::size_t memory() const override { return counted_; }

  /// Once it is open. `policy`: of the host that the client named.
  const Policy& policy() const { return *policy_; }
  bool speaks_h2() const { return h2_; }
  /// Whether the client has a certificate, which is then verified.
  bool verified() const { return !identity_.empty(); }
  /// The text of X-Forwarded-Client-Cert; empty without a certificate.
  const std::string& identity() const { return identity_; }
  /// Why the handshake failed.
  HandshakeFailure failure() const { return failure_; }

  // For the callbacks of OpenSSL.
  static Session& of(const SSL* session) { return *static_cast<Session*>(SSL_get_app_data(session)); }
  static void see_message(int writes, int version, int type, const void* bytes, std::size_t size, SSL* session,
                          void* unused);
  const Policies& policies() const { return *policies_; }
  void set_policy(const Policy& policy) { policy_ = &policy; }

 private:
  friend struct SessionBio;
  enum class Step : std::uint8_t { more, done, failed };

  bool begin();
  Step handshake();
  bool complete();
  Received fail(engine::CipherSink& sink, std::size_t clear);
  void count_memory(std::size_t bytes);
  bool floods();

  std::shared_ptr<const Policies> policies_;
  engine::MemoryBudget& budget_;
  SSL* ssl_ = nullptr;
  const Policy* policy_ = nullptr;
  std::string_view input_;              // during a call
  engine::CipherSink* sink_ = nullptr;  // likewise
  std::string identity_;
  std::size_t counted_ = 0;     // bytes in the budget
  std::uint32_t sent_ = 0;      // clear bytes; stays at kSlowStart
  std::uint32_t messages_ = 0;  // of the client, after the handshake: key updates
  HandshakeFailure failure_ = HandshakeFailure::none;
  bool open_ = false, h2_ = false, finished_ = false;
};

/// What a client gets that speaks HTTP on a TLS port.
extern const std::string_view kPlainHttpAnswer;

}  // namespace gray::tls
