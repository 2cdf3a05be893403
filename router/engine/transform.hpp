#pragma once
// What a stream has between its socket and its handler: a TLS session. Bytes in, bytes out; it calls neither the socket
// nor the handler.
//
// Invariants
//  - Until open() no clear byte comes out, so a handler never sees a byte before the handshake is complete.
//  - receive() takes all bytes that it is given, and hands out every clear byte that is complete in them.
// Used by the engine alone, on its thread.
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>

namespace gray::engine {

/// Takes the bytes that a transform wants to send. The bytes are copied.
class CipherSink {
 public:
  virtual void put(std::string_view bytes) = 0;

 protected:
  ~CipherSink() = default;
};

class Transform {
 public:
  virtual ~Transform() = default;

  enum class State : std::uint8_t {
    handshake,  // more bytes are needed
    open,
    ended,   // the peer has said that it sends no more
    failed,  // it is of no use any more; what the peer has to know is in the sink
  };
  struct Received {
    State state = State::handshake;
    std::size_t clear = 0;  // bytes that were written
  };
  /// The most bytes that it keeps of an incomplete record, and hands out with later bytes.
  static constexpr std::size_t kMaxKept = 18 * 1024;
  /// Bytes from the socket; clear bytes are written to `clear`, which has room for all of them and kMaxKept.
  virtual Received receive(std::string_view bytes, std::span<char> clear, CipherSink& sink) = 0;
  /// Encrypts all bytes. False: it has failed. Only while open.
  virtual bool send(std::string_view clear, CipherSink& sink) = 0;
  /// Tells the peer that no more bytes follow. Once; has no effect before it is open.
  virtual void finish(CipherSink& sink) = 0;
  virtual bool open() const = 0;
  /// Whether it has seen a byte: until then it holds hardly any memory.
  virtual bool begun() const = 0;
  /// Bytes of this process, approximately.
  virtual std::size_t memory() const = 0;
};

}  // namespace gray::engine
