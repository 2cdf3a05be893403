#pragma once
// The interface between an exchange and its client. A client side translates between one request of a connection, in
// any protocol, and these calls: no bytes of a head cross this boundary.
#include <cstdint>
#include <optional>
#include <string_view>

#include "config/base/address.hpp"
#include "router/http/additions.hpp"
#include "router/http/message.hpp"

namespace gray::proxy {

/// Who sent a request, and how: the connection side fills it, and the exchange uses no other source for it.
struct ClientInfo {
  const Address* peer = nullptr;
  std::string_view ip;           // of the peer; empty for a unix socket
  bool trusted = false;          // the peer is a trusted proxy
  std::string_view scheme;       // of the connection
  std::string_view certificate;  // of a verified client, for X-Forwarded-Client-Cert; empty: none
  bool http2 = false;            // the request came in HTTP/2
  bool misdirected = false;      // the host of the request needs a connection of its own
  std::uint64_t connection = 0;  // the owner of its buffers: StreamId::key()
};

/// What an exchange keeps of a request. The views stay valid until done() or cut().
struct RequestFacts {
  http::Method method = http::Method::other;
  std::string_view method_text, authority, path;  // authority: port included; path: with its query
  std::string_view request_id;                    // X-Request-Id as it came
  std::string_view trace_id;                      // empty: the request is not part of a trace
  std::string_view upgrade;                       // protocols that may be offered to a worker; empty: no upgrade
  std::optional<std::uint64_t> length;            // of the body, if known
  std::size_t head_bytes = 0, fields = 0;         // the size of the head
  bool has_body = false;
  bool last_hop = false;  // a TRACE or OPTIONS with Max-Forwards: 0
  bool forwards = false;  // has X-Forwarded-* or Forwarded
};

/// The exchange never calls it after done() or cut().
class ClientSide {
 public:
  /// The whole head. Valid until control returns to the caller of the exchange; not to be kept.
  virtual const http::Request& request() = 0;
  /// A worker takes the body, but will not send 100 (Continue), for which the client may be waiting.
  virtual void continue_request() = 0;
  virtual void interim(const http::Response& head) = 0;
  virtual void start_response(const http::Response& head, const http::ResponseExtras& extras) = 0;
  virtual void response_data(std::string_view payload) = 0;
  /// The trailer section of an answer in chunks, to a client that asked for it.
  virtual void response_trailers(std::string_view section) = 0;
  /// Upgraded: `head` is the 101, and from now on every byte of the client is given to client_bytes().
  virtual void open_tunnel(const http::Response& head, const http::ResponseExtras& extras) = 0;
  /// Sends FIN: nothing more is sent to the client, but it may still send.
  virtual void finish() = 0;
  /// The answer is complete. `close`: request bytes are unread, so no further request can be read.
  virtual void end_response(bool close) = 0;
  /// An answer of the router; `close` of it as above.
  virtual void answer(const http::LocalAnswer& answer) = 0;
  /// The exchange is over and its memory free for the next request.
  virtual void done() = 0;
  /// Breaks off the connection: the sent bytes must not look like a complete answer.
  virtual void cut() = 0;
  /// The request body is taken from now on: gathered, or by a worker.
  virtual void body_wanted() = 0;
  /// It has unsent bytes.
  virtual bool backed_up() const = 0;
  /// How many bytes of the answer should be read at once for it.
  virtual std::size_t takes() const = 0;
  /// Whether it may get `bytes` more at once, although it is backed up.
  virtual bool has_room(std::uint64_t bytes) const = 0;
  /// It was backed up: from now on the exchange waits for it, and `min_rate` applies.
  virtual void fell_behind() = 0;
  /// It fell behind, and still has unsent bytes to take.
  virtual bool behind() const = 0;
  virtual void pause_body() = 0;  // the worker has too much unsent
  virtual void resume_body() = 0;

 protected:
  ~ClientSide() = default;
};

}  // namespace gray::proxy
