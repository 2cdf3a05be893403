#pragma once
// What the server side of an HTTP/2 connection tells its owner. Views are valid during a call only. The owner may call
// every function of the machine from within, ServerMachine::release() included.
#include <cstdint>
#include <string_view>

#include "router/h2/frame.hpp"
#include "router/h2/head_builder.hpp"
#include "router/h2/stream.hpp"

namespace gray::h2 {

class ServerVisitor {
 public:
  /// A new request. `head`: an HTTP/1.1 head for http::parse_request(), which may still refuse it. `end_stream`: it has
  /// no body. The stream belongs to the owner until release(); `stream.user` is free for it.
  virtual void on_request(Stream& stream, std::string_view head, bool end_stream) = 0;
  /// A request to be answered with `refusal.status`; its body, if any, is of no use. The stream is the owner's as
  /// above.
  virtual void on_refused(Stream& stream, const Refusal& refusal, bool end_stream) = 0;
  /// Payload of the request, never empty unless `end_stream`. The owner calls consumed() for each of its bytes, at any
  /// time; until then they count against the windows.
  virtual void on_data(Stream& stream, std::string_view payload, bool end_stream) = 0;
  /// The request ends with trailers: lines "name: value CRLF", and an empty line.
  virtual void on_trailers(Stream& stream, std::string_view section) = 0;
  /// The stream was reset: by the client, or by us because the client broke a rule of it. Nothing can be sent any more.
  /// The owner ends its exchange and calls release().
  virtual void on_reset(Stream& stream, ErrorCode code) = 0;
  /// The client has opened the window of the stream (not necessarily that of the connection).
  virtual void on_window(Stream& stream) = 0;
  /// The client has opened the window of the connection.
  virtual void on_connection_window() = 0;
  /// The client goes away: it starts no further stream; open ones go on.
  virtual void on_goaway(ErrorCode code) = 0;
  /// The connection is broken: GOAWAY is written, nothing more is read or written. `rule` names what the client did, in
  /// words. The owner ends all exchanges, releases their streams, sends what is unsent and closes.
  virtual void on_connection_error(ErrorCode code, const char* rule) = 0;

 protected:
  ~ServerVisitor() = default;
};

}  // namespace gray::h2
