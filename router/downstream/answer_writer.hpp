#pragma once
// Writes one answer on an HTTP/1.1 connection into the thread's outbox: interim heads, the head, payload (in chunks if
// its length is unknown), and the end. After a switch of protocols payload is passed on as it is.
#include <string_view>

#include "router/backends/outbox.hpp"
#include "router/proxy/date_clock.hpp"
#include "router/wire/forwarding.hpp"

namespace gray::proxy {

class AnswerWriter {
 public:
  AnswerWriter(Outbox& outbox, const engine::Engine& engine, DateClock& date)
      : outbox_(outbox), engine_(engine), date_(date) {}

  /// Begins a new connection.
  void open(engine::StreamId stream) { stream_ = stream; }
  /// Begins the answer to a request of this version.
  void begin(http::Version version) { version_ = version; }

  void send_continue();  // 100 (Continue)
  void interim(const http::Response& head);
  /// Whether only the end of the connection can end the body of this answer.
  bool needs_close(const http::Response& head) const { return old() && head.body.kind == http::Body::Kind::open; }
  void head(const http::Response& head, const http::ResponseExtras& extras, bool close);
  void switch_protocols(const http::Response& head, const http::ResponseExtras& extras);
  void data(std::string_view payload);
  void trailers(std::string_view section);
  void end();
  /// A whole answer of the router.
  void local(const http::LocalAnswer& answer, bool close);

 private:
  http::Hop hop(bool close) const { return {version_, close, old() && !close, date_.text(engine_.now())}; }
  bool old() const { return version_ == http::Version::http10; }
  void write(const http::Response& head, const http::ResponseExtras& extras, const http::Hop& hop);

  Outbox& outbox_;
  const engine::Engine& engine_;
  DateClock& date_;
  engine::StreamId stream_;
  http::Version version_ = http::Version::http11;
  bool chunked_ = false;
  bool last_chunk_sent_ = false;  // already, with trailers behind it
};

}  // namespace gray::proxy
