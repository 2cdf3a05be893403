#include "router/tls/session.hpp"

#include <openssl/bio.h>
#include <openssl/err.h>

#include <algorithm>
#include <cstring>
#include <utility>

#include "router/tls/client_identity.hpp"

namespace gray::tls {

// Records of the first bytes are small, so that a browser can use them before a whole record has come.
constexpr std::uint32_t kSlowStart = 64 * 1024;
constexpr std::size_t kSmallRecord = 4 * 1024;
constexpr std::size_t kLargeRecord = 16 * 1024;
// What OpenSSL 3.0 holds, measured: within a handshake, and with a client certificate.
constexpr std::size_t kHandshakeBytes = 64 * 1024;
constexpr std::size_t kVerifiedBytes = 20 * 1024;
constexpr std::uint32_t kMostMessages = 1'000;  // handshake messages of a client after its handshake

const std::string_view kPlainHttpAnswer =
    "HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: 78\r\n"
    "X-Gray-Reason: bad-request\r\nConnection: close\r\n\r\n"
    "400 Bad Request: this port speaks HTTPS only; use https:// instead of http://\n";

// A BIO whose two ends are the input and the sink of a session.
struct SessionBio {
  static int read(BIO* bio, char* to, int size) {
    auto& session = *static_cast<Session*>(BIO_get_data(bio));
    BIO_clear_retry_flags(bio);
    const std::size_t part = std::min(session.input_.size(), static_cast<std::size_t>(std::max(size, 0)));
    if (part == 0) {
      BIO_set_retry_read(bio);
      return -1;
    }
    std::memcpy(to, session.input_.data(), part);
    session.input_.remove_prefix(part);
    return static_cast<int>(part);
  }
  static int write(BIO* bio, const char* bytes, int size) {
    auto& session = *static_cast<Session*>(BIO_get_data(bio));
    BIO_clear_retry_flags(bio);
    if (session.sink_ != nullptr) session.sink_->put({bytes, static_cast<std::size_t>(size)});
    return size;
  }
  static long control(BIO*, int command, long, void*) { return command == BIO_CTRL_FLUSH ? 1 : 0; }

  static const BIO_METHOD* method() {
    static const BIO_METHOD* const kMethod = [] {
      BIO_METHOD* made = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "grayd");
      BIO_meth_set_read(made, read);
      BIO_meth_set_write(made, write);
      BIO_meth_set_ctrl(made, control);
      return made;
    }();
    return kMethod;
  }
};

namespace {

/// Sets the place of the bytes for a call of OpenSSL.
class InCall {
 public:
  InCall(engine::CipherSink*& place, engine::CipherSink& sink) : place_(place) { place_ = &sink; }
  ~InCall() { place_ = nullptr; }
  InCall(const InCall&) = delete;
  InCall& operator=(const InCall&) = delete;

 private:
  engine::CipherSink*& place_;
};

}  // namespace

Session::~Session() {
  if (ssl_ != nullptr) SSL_free(ssl_);
  count_memory(0);
}

void Session::count_memory(std::size_t bytes) {
  budget_.give(std::exchange(counted_, bytes));
  budget_.add(bytes);
}

bool Session::begin() {
  ssl_ = policies_->new_session();
  BIO* const bio = ssl_ == nullptr ? nullptr : BIO_new(SessionBio::method());
  if (bio == nullptr) return false;
  BIO_set_data(bio, this);
  BIO_set_init(bio, 1);
  SSL_set_bio(ssl_, bio, bio);
  SSL_set_app_data(ssl_, this);
  SSL_set_accept_state(ssl_);
  count_memory(kHandshakeBytes);
  return true;
}

engine::Transform::Received Session::receive(std::string_view bytes, std::span<char> clear, engine::CipherSink& sink) {
  const InCall call(sink_, sink);
  input_ = bytes;
  if (failure_ != HandshakeFailure::none) return {State::failed, 0};
  if (ssl_ == nullptr && !begin()) return fail(sink, 0);
  if (!open_) {
    switch (handshake()) {
      case Step::more: return {State::handshake, 0};
      case Step::failed: return fail(sink, 0);
      case Step::done: break;
    }
  }
  std::size_t done = 0;
  while (true) {
    std::size_t got = 0;
    ERR_clear_error();
    if (SSL_read_ex(ssl_, clear.data() + done, clear.size() - done, &got) == 1) {
      done += got;
      if (done < clear.size()) continue;
      return input_.empty() ? Received{State::open, done} : fail(sink, done);  // cannot be: see kMaxKept
    }
    switch (SSL_get_error(ssl_, 0)) {
      case SSL_ERROR_WANT_READ: return floods() ? fail(sink, done) : Received{State::open, done};
      case SSL_ERROR_ZERO_RETURN: return {State::ended, done};
      default: return fail(sink, done);
    }
  }
}

Session::Step Session::handshake() {
  ERR_clear_error();
  const int result = SSL_do_handshake(ssl_);
  if (result == 1) return complete() ? Step::done : Step::failed;
  return SSL_get_error(ssl_, result) == SSL_ERROR_WANT_READ ? Step::more : Step::failed;
}

// Checks once more what the client has proven: a resumed session must not prove less.
bool Session::complete() {
  X509* const certificate = SSL_get0_peer_certificate(ssl_);
  const bool verified = certificate != nullptr && SSL_get_verify_result(ssl_) == X509_V_OK;
  const bool wanted = policy_ != nullptr && policy_->client_auth != ClientAuth::off;
  if (policy_ == nullptr || (policy_->client_auth == ClientAuth::required && !verified)) {
    failure_ = HandshakeFailure::client_certificate;
    return false;
  }
  if (wanted && verified) identity_ = identity_text(certificate);
  const unsigned char* protocol = nullptr;
  unsigned length = 0;
  SSL_get0_alpn_selected(ssl_, &protocol, &length);
  h2_ = length == 2 && std::memcmp(protocol, "h2", 2) == 0;
  messages_ = 0;
  open_ = true;
  count_memory(identity_.empty() ? kOpenBytes : kVerifiedBytes);
  return true;
}

// OpenSSL has sent an alert, if the client can understand one.
engine::Transform::Received Session::fail(engine::CipherSink& sink, std::size_t clear) {
  if (failure_ == HandshakeFailure::none) failure_ = failure_of(ERR_peek_last_error());
  ERR_clear_error();
  if (!open_ && failure_ == HandshakeFailure::plain_http) sink.put(kPlainHttpAnswer);
  finished_ = true;
  return {State::failed, clear};
}

bool Session::send(std::string_view clear, engine::CipherSink& sink) {
  const InCall call(sink_, sink);
  while (!clear.empty()) {
    const std::size_t part = std::min(clear.size(), sent_ < kSlowStart ? kSmallRecord : kLargeRecord);
    std::size_t written = 0;
    ERR_clear_error();
    if (SSL_write_ex(ssl_, clear.data(), part, &written) != 1) {
      ERR_clear_error();
      return false;
    }
    clear.remove_prefix(written);
    if (sent_ < kSlowStart) sent_ += static_cast<std::uint32_t>(written);
  }
  return true;
}

void Session::finish(engine::CipherSink& sink) {
  if (!open_ || finished_) return;
  finished_ = true;
  const InCall call(sink_, sink);
  ERR_clear_error();
  (void)SSL_shutdown(ssl_);
  ERR_clear_error();
}

// A client that sends key updates all the time makes us work for nothing (RFC 8446 4.6.3).
void Session::see_message(int writes, int, int type, const void*, std::size_t, SSL* session, void*) {
  if (writes == 0 && type == SSL3_RT_HANDSHAKE) ++of(session).messages_;
}

bool Session::floods() {
  if (messages_ <= kMostMessages) return false;
  failure_ = HandshakeFailure::protocol;
  return true;
}

}  // namespace gray::tls
