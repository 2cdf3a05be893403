#pragma once
// One request of an HTTP/2 connection: the client side of an exchange. It keeps what the exchange cannot take yet of
// the body, and what the client cannot take yet of the answer.
#include <memory>

#include "router/downstream/transaction.hpp"
#include "router/engine/buffer_pool.hpp"
#include "router/h2/stream.hpp"

namespace gray::proxy {

class Http2;

/// Each call of the exchange may end the request, and then the object may be given to another stream: after such a call
/// only released() may be asked.
class Http2Request final : public ClientSide {
 public:
  Http2Request() = default;
  Http2Request(const Http2Request&) = delete;
  Http2Request& operator=(const Http2Request&) = delete;

  void open(Http2& connection, h2::Stream& stream, std::unique_ptr<Transaction> transaction);
  Transaction* transaction() const { return transaction_.get(); }
  std::unique_ptr<Transaction> take_transaction() { return std::move(transaction_); }
  /// The head was parsed into the scratch and is valid.
  void begin(bool end_stream);
  void refuse(const http::Fault& fault);
  void body(std::string_view payload, bool end_stream);
  void body_ended();
  /// The client has reset the stream, or is gone.
  void gone();
  /// Frames what waits, at most `most` bytes. Whether more waits.
  bool send_waiting(std::size_t most);
  /// The payload that waited is sent.
  void drained();
  void sample(Duration window);
  /// It is the request of this stream, which may be gone.
  bool serves(const h2::Stream* stream) const { return stream_ == stream; }
  bool watched() const { return transaction_ != nullptr && transaction_->watch.on(); }
  bool waits() const { return answer_.size() > 0; }
  /// Bytes of its buffers.
  std::size_t held() const;

  // ClientSide
  const http::Request& request() override { return transaction_->head.read(); }
  void continue_request() override;
  void interim(const http::Response& head) override;
  void start_response(const http::Response& head, const http::ResponseExtras& extras) override;
  void response_data(std::string_view payload) override;
  void response_trailers(std::string_view section) override;
  void open_tunnel(const http::Response& head, const http::ResponseExtras& extras) override;
  void finish() override {}
  void end_response(bool close) override;
  void answer(const http::LocalAnswer& answer) override;
  void done() override;
  void cut() override;
  void body_wanted() override;
  bool backed_up() const override;
  std::size_t takes() const override;
  bool has_room(std::uint64_t bytes) const override;
  void fell_behind() override;
  bool behind() const override;
  void pause_body() override;
  void resume_body() override;

 private:
  bool released() const { return stream_ == nullptr; }
  bool active() const { return transaction_ != nullptr && transaction_->exchange.active(); }
  void pass_body();
  void give(std::string_view payload);
  bool keep(engine::Buffer& buffer, std::string_view bytes, const char* what);
  void keep_answer(std::string_view payload);
  void over();
  void mark();
  std::size_t own_unsent() const;

  Http2* connection_ = nullptr;
  h2::Stream* stream_ = nullptr;
  std::unique_ptr<Transaction> transaction_;
  engine::Buffer body_;           // that came before a worker took it
  engine::Buffer answer_;         // that the windows did not allow yet
  engine::Buffer trailers_;       // that follow it
  std::uint64_t body_bytes_ = 0;  // so far
  std::uint64_t left_ = 0;        // of an answer with a length
  std::uint64_t mark_ = 0;        // bytes of the connection up to the last frame of this answer
  bool sized_ = false;            // the answer has a length
  bool body_complete_ = false, body_told_ = false;
  bool paused_ = false;           // the worker takes no more of the body
  bool answer_complete_ = false;  // what waits is the rest of it
  bool done_ = false, passing_ = false;
  bool held_ = false;  // its worker waits for the client
  bool lost_ = false;  // there was no memory for the answer
};

}  // namespace gray::proxy
