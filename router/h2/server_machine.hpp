#pragma once
// The server side of one HTTP/2 connection (RFC 9113): bytes in, calls of a visitor and frames out. Pure: no socket, no
// timer; `now` comes with the bytes.
//
// Model
//  - receive() consumes all bytes that it gets, in pieces of any size. The owner never stops reading because payload is
//    backed up: the WINDOW_UPDATE that the payload waits for may be in the unread bytes. Windows bound what may come:
//    64 KiB for a stream, 1 MiB for the connection, credited only for bytes that the owner has consumed.
//  - A header block is decoded when it is complete, in rooms that all connections of the thread share.
//  - Frames are written to the end of the Output at once. Payload is framed only within both windows; the owner keeps
//    the rest, and divides the window of the connection among its streams (send_schedule.hpp).
//  - A stream lives until the owner releases it, also after a reset. So one that is reset counts against the limit of
//    100 until its exchange has ended, and a client cannot start work faster than it ends.
//
// Invariants
//  - An error of a stream ends only that stream; the decoder's table follows the client's also for blocks of streams
//    that are refused, reset or closed.
//  - What a client can make us do without limit has a budget (budget.hpp). After it is over: ENHANCE_YOUR_CALM.
//  - An idle connection holds no heap memory but the dynamic table and the list of its streams. There is no allocation
//    for a request once the list and the pool have grown.
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "config/base/time.hpp"
#include "router/h2/budget.hpp"
#include "router/h2/flow.hpp"
#include "router/h2/frame_reader.hpp"
#include "router/h2/head_builder.hpp"
#include "router/h2/head_encoder.hpp"
#include "router/h2/hpack_decoder.hpp"
#include "router/h2/output.hpp"
#include "router/h2/server_visitor.hpp"
#include "router/h2/stream.hpp"
#include "router/http/additions.hpp"
#include "router/wire/forwarding.hpp"
#include "router/wire/head.hpp"

namespace gray::h2 {

inline constexpr std::uint32_t kMaxStreams = 100;
inline constexpr std::uint32_t kConnectionWindow = 1024 * 1024;
inline constexpr std::uint32_t kMaxContinuations = 8;

class ServerMachine {
 public:
  /// The four references outlive it. `rooms` and `pool` are shared by the connections of a thread.
  ServerMachine(HeadRoom& rooms, StreamPool& pool, ServerVisitor& visitor, Output& out);
  ~ServerMachine();
  ServerMachine(const ServerMachine&) = delete;
  ServerMachine& operator=(const ServerMachine&) = delete;

  /// Writes our SETTINGS and opens the window of the connection. Once, before anything else: a server may speak first.
  void start();
  /// Bytes from the client, its preface included. Throws std::bad_alloc; after that the connection can only be closed.
  void receive(std::string_view bytes, TimePoint now);

  // Answers. None has an effect on a stream that is reset, or whose answer has ended.
  /// A head that is not final (1xx, but not 101).
  void send_interim(Stream& stream, const http::Response& head);
  void send_continue(Stream& stream);
  /// `date`: for an answer without one. `end_stream`: no body and no trailers follow.
  void send_head(Stream& stream, const http::Response& head, const http::ResponseExtras& extras, std::string_view date,
                 bool end_stream);
  /// Frames as much of `payload` as both windows allow, and returns how much that was. `end_stream` counts only if it
  /// was all of it; with empty payload it needs no window. For a stream that can send nothing any more: all of it, as
  /// there is no use in keeping it.
  std::size_t send_data(Stream& stream, std::string_view payload, bool end_stream);
  /// Ends the answer with the lines of an HTTP/1.1 trailer section that may be forwarded, or with an empty DATA frame
  /// if there is none.
  void send_trailers(Stream& stream, std::string_view section);
  /// A whole answer of the router. Returns what the windows did not allow: a view into `text`, to be sent by
  /// send_data() with `end_stream`; empty: the answer is complete.
  std::string_view send_answer(Stream& stream, const http::LocalAnswer& answer, std::string_view date,
                               std::span<char, http::kMaxLocalAnswer> text);
  /// Bytes that send_data() would take now.
  std::size_t sendable(const Stream& stream) const;
  /// Whether send_data() would be held back by the window of the connection, and not by that of the stream.
  bool connection_blocked() const { return send_.room() == 0; }

  /// Payload that on_data() gave is out of our memory.
  void consumed(Stream& stream, std::size_t bytes);
  /// RST_STREAM, unless both halves have ended. INTERNAL_ERROR for an answer that breaks off; never NO_ERROR then, as
  /// that would look complete.
  void reset(Stream& stream, ErrorCode code);
  /// The exchange has ended, and the stream is no longer the owner's. If the answer is incomplete, the stream is reset
  /// with INTERNAL_ERROR; if only the request is, with NO_ERROR: the client shall not send the rest.
  void release(Stream& stream);

  /// First step of an orderly end: GOAWAY that still allows every stream, and a PING. When the answer to the PING
  /// comes, the second step follows by itself; the owner calls it after a second if none comes.
  void begin_drain();
  /// Second step: GOAWAY with the last stream that is served. Later ones are ignored.
  void finish_drain();
  /// GOAWAY with an error, and nothing after it. For owners that end a connection: idle, or short of memory.
  void end(ErrorCode code, const char* rule);

  /// Streams that are not released.
  std::size_t open_streams() const { return streams_.size(); }
  /// `visit`: for each stream that is not released, oldest first; it may not release any.
  template <class Visit>
  void for_each_stream(Visit visit) const {
    for (Stream* stream : streams_) visit(*stream);
  }
  bool draining() const { return drain_ != Drain::no; }
  /// After the second step, with no stream left: the owner closes.
  bool drained() const { return drain_ == Drain::last && streams_.empty(); }
  /// After on_connection_error() or end().
  bool dead() const { return dead_; }
  /// The preface and SETTINGS of the client have come.
  bool greeted() const { return preface_ == kPreface.size() && settings_came_; }
  /// The client has acknowledged our SETTINGS.
  bool acknowledged() const { return acknowledged_; }
  /// The largest one that was given to the owner.
  std::uint32_t last_stream() const { return served_; }
  /// Bytes of all frames so far.
  std::uint64_t written() const { return written_; }
  /// Bytes of heap memory, without the streams themselves.
  std::size_t memory() const;

 private:
  enum class Drain : std::uint8_t { no, announced, last };
  /// How a stream ended that is no longer listed.
  enum class Ending : std::uint8_t { unknown, ended, reset_by_us, reset_by_peer };
  enum class State : std::uint8_t { idle, open, half_closed, ended, reset_by_us, reset_by_peer, unknown };
  /// The header block that is being received, with what its HEADERS frame said.
  struct Block {
    std::uint32_t stream = 0;  // 0: none
    bool end_stream = false;
    bool depends_on_itself = false;  // its HEADERS frame has such a priority
    std::uint8_t continuations = 0;
    std::vector<char> bytes;
  };
  /// The ids of streams that ended lately: a ring, each with how it ended in its two lowest bits.
  static constexpr std::size_t kRemembered = 64;
  static constexpr std::string_view kDrainPing = "draining";  // its payload: eight bytes

  // server_machine.cpp: frames and their order
  bool take_preface(std::string_view& bytes);
  void on_frame_head();
  Violation check_order(const FrameHead& frame) const;
  FrameReader::Take how_taken(FrameType type) const;
  void on_payload(const FrameReader::Step& step);
  void broken(const Violation& violation);
  void fail(ErrorCode code, const char* rule) { broken({code, rule}); }

  // server_control.cpp: frames that carry no message
  void on_settings(std::string_view payload);
  void apply(std::uint16_t setting, std::uint32_t value);
  void change_initial_window(std::uint32_t size);
  void on_ping(std::string_view payload);
  void on_goaway(std::string_view payload);
  void on_window_update(std::string_view payload);
  void on_rst_stream(std::string_view payload);
  void on_priority(std::string_view payload);
  void glitch();
  void usual();
  void reply(FrameHead head, std::string_view payload);

  // server_requests.cpp: HEADERS, CONTINUATION and DATA
  void on_headers(std::string_view payload);
  void on_continuation(std::string_view payload);
  void take_block(std::string_view block);
  void open_stream(std::string_view block);
  void read_request(std::string_view block);
  Stream* new_stream(std::uint32_t id, bool end_stream);
  void refuse_stream(std::uint32_t id);
  void read_trailers(Stream& stream, std::string_view block);
  bool skip_block(std::string_view block);
  bool decode(std::string_view block, FieldSink& sink);
  void on_data_head();
  void on_data(const FrameReader::Step& step);
  bool take_padding(std::string_view& piece);
  void pass_data(Stream& stream, std::string_view payload, bool end_stream);

  // server_streams.cpp: their states, and the frames that we write by ourselves
  State state_of(std::uint32_t id) const;
  Stream* find(std::uint32_t id) const;
  void end_both(Stream& stream, ErrorCode code, bool by_peer);
  void stream_error(std::uint32_t id, ErrorCode code, const char* rule);
  void remember(std::uint32_t id, Ending ending);
  void credit(Stream* stream, std::uint32_t bytes);
  void write_rst(std::uint32_t id, ErrorCode code);
  void write_update(std::uint32_t id, std::uint32_t increment);
  void write_goaway(std::uint32_t last, ErrorCode code, std::string_view text);
  void write_frame(FrameHead head, std::string_view payload);

  // server_answers.cpp
  bool can_send(const Stream& stream) const { return !dead_ && stream.answer == Stream::Half::open; }
  void write_data(Stream& stream, std::string_view payload, bool end_stream);
  HeadersFrames frames_of(const Stream& stream, bool end_stream);
  template <class WriteText>
  void send_text(Stream& stream, std::size_t bound, bool end_stream, WriteText write);

  HeadRoom& rooms_;
  StreamPool& pool_;
  ServerVisitor& visitor_;
  Output& out_;
  FrameReader reader_;
  HpackDecoder decoder_;
  Budget budget_;
  SendWindow send_;
  ReceiveWindow receive_{kConnectionWindow};
  Block block_;
  std::vector<Stream*> streams_;  // not released; by id
  std::array<std::uint32_t, kRemembered> endings_{};
  std::size_t endings_next_ = 0;
  TimePoint now_{};
  std::uint64_t written_ = 0;                 // bytes of all frames
  std::uint32_t last_ = 0;                    // the largest stream that the client has opened
  std::uint32_t served_ = 0;                  // the largest one that was given to the owner
  std::uint32_t peer_window_ = kFirstWindow;  // of each new stream
  // The current DATA frame
  std::uint32_t data_left_ = 0;  // of its payload, without padding
  bool padding_known_ = false;
  bool data_passed_ = false;  // to the owner; otherwise it only counts against the window of the connection
  std::uint8_t preface_ = 0;  // bytes of it that came
  bool settings_came_ = false, acknowledged_ = false, dead_ = false;
  bool empty_table_ = false;      // the next block begins with a size update to 0
  bool table_announced_ = false;  // one has been sent
  Drain drain_ = Drain::no;
};

}  // namespace gray::h2
