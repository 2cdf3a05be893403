#pragma once
// The interface between an exchange and its connection to a worker: calls to the connection (WorkerSide) and events
// from it (WorkerEvents). A worker side is one exchange's share of a connection: a whole HTTP/1 connection, or one of
// several streams. It translates between heads and bytes; the exchange does not depend on a protocol.
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "config/base/time.hpp"
#include "config/shared/segment.hpp"
#include "router/engine/engine.hpp"
#include "router/http/additions.hpp"
#include "router/http/message.hpp"

namespace gray::proxy {

struct Worker;

/// Events of a worker's connection for the exchange that it serves.
class WorkerEvents {
 public:
  virtual void connected() = 0;
  /// The attempt has failed; nothing follows.
  virtual void failed(segment::Reason reason) = 0;
  virtual void interim(const http::Response& head) = 0;
  virtual void response_head(const http::Response& head) = 0;
  virtual void response_data(std::string_view payload) = 0;
  virtual void response_trailers(std::string_view section) = 0;
  virtual void response_end() = 0;
  /// 101, to a `protocol` that was offered. From now on bytes are passed on, both ways.
  virtual void upgraded(const http::Response& head, std::string_view protocol) = 0;
  virtual void worker_bytes(std::string_view bytes) = 0;
  virtual void worker_ended() = 0;
  /// Its unsent bytes have fallen: it takes the request body again.
  virtual void worker_drained() = 0;
  /// Before each read of the answer: how many bytes may be read.
  virtual std::size_t answer_room() = 0;
  /// At the end of every event, when the gathered bytes are sent: pauses a side that is ahead of the other.
  virtual void balance() = 0;
  /// The worker has broken a rule.
  virtual void worker_fault(const http::Fault& fault) = 0;
  /// The users of the version were taken away: the request is to be answered by stable, if it may be.
  virtual void version_withdrawn() = 0;
  /// The time of a tunnel is up.
  virtual void end_tunnel(segment::Reason reason) = 0;

 protected:
  ~WorkerEvents() = default;
};

/// Calls of an exchange to the connection. Exactly one of release(), discard() and leave() is the last call.
class WorkerSide {
 public:
  virtual Worker& worker() const = 0;
  virtual bool connecting() const = 0;
  /// Sends the head. `limits` apply to the head of the answer; an upgrade must be one that `extras` offers. Views in
  /// `extras` stay valid until the last call.
  virtual void send_head(const http::Request& head, const http::RequestExtras& extras,
                         const http::HeadLimits& limits) = 0;
  virtual void send_data(std::string_view payload) = 0;
  virtual void send_end() = 0;
  /// In a tunnel: bytes as they are, and FIN.
  virtual void send_raw(std::string_view bytes) = 0;
  virtual void finish() = 0;
  /// Drops unsent bytes, and closes with a reset so that the worker notices.
  virtual void abort() = 0;
  virtual void pause() = 0;  // the client has too much unsent
  virtual void resume() = 0;
  /// It has unsent bytes.
  virtual bool backed_up() const = 0;
  /// How many bytes of the body should be read at once for it.
  virtual std::size_t takes() const = 0;
  /// Bytes of the answer's body that are still to come; nothing: unknown.
  virtual std::optional<std::uint64_t> rest() const = 0;
  /// It has served before: it may be stale.
  virtual bool reused() const = 0;
  /// Whether a part of the request was sent.
  virtual bool sent() const = 0;
  /// Whether a part of the request may have reached the program. Before discard().
  virtual bool may_have_arrived() const = 0;
  /// A part of the answer was passed on: the attempt can no longer be repeated.
  virtual bool answered() const = 0;
  /// The HTTP that the worker is known to speak.
  virtual segment::Speaks speaks() const = 0;
  /// What the connection holds, for reports.
  virtual engine::StreamMemory memory(bool with_kernel) const = 0;
  /// The answer is complete.
  virtual void release() = 0;
  /// The attempt is given up. `suspect`: the worker broke it.
  virtual void discard(bool suspect) = 0;
  /// The exchange of a tunnel is over: unsent bytes are sent, then FIN.
  virtual void leave(Duration within) = 0;

 protected:
  ~WorkerSide() = default;
};

}  // namespace gray::proxy
