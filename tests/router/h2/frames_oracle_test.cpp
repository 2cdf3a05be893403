// The server side against a server session of nghttp2: random frames on open streams, and a damaged one at the end.
//
// As long as no frame is damaged, both connections live, have opened the same streams, got the same payload on each,
// and reset the same ones. After the damaged frame both have ended or both live, but for these differences:
//  - nghttp2 ends the connection where RFC 9113 asks for an error of the stream only: DATA and HEADERS on a stream that
//    is half-closed or reset, WINDOW_UPDATE by 0, a stream that depends on itself, PRIORITY of a wrong size. We reset
//    the stream. What comes on a stream that we have reset we ignore.
//  - nghttp2 ignores frames of streams that it has forgotten, HEADERS with the number of a stream that was skipped, and
//    wrong padding on a stream that it ignores. We end the connection.
//  - nghttp2 decodes a block as its bytes come, and reads CONTINUATION of any length. We decode a block when it is
//    complete, and refuse a frame by its length.
//  - Frames for which we have a budget, and nghttp2 has none.
#include <doctest/doctest.h>
#include <nghttp2/nghttp2.h>

#include <map>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "tests/router/h2/conversation.hpp"

using namespace gray::h2;

namespace {

struct Seen {
  std::set<std::uint32_t> requests;
  std::map<std::uint32_t, std::string> payload;
  std::set<std::uint32_t> resets;  // by the server
  bool dead = false;
  bool operator==(const Seen&) const = default;
};

class OracleServer {
 public:
  OracleServer() {
    nghttp2_session_callbacks* callbacks = nullptr;
    nghttp2_session_callbacks_new(&callbacks);
    nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, on_frame);
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, on_chunk);
    nghttp2_session_server_new(&session_, callbacks, &seen);
    nghttp2_session_callbacks_del(callbacks);
    const nghttp2_settings_entry entry{NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, 100};
    nghttp2_submit_settings(session_, NGHTTP2_FLAG_NONE, &entry, 1);
    nghttp2_session_set_local_window_size(session_, NGHTTP2_FLAG_NONE, 0, static_cast<int>(kConnectionWindow));
    send();
  }
  ~OracleServer() { nghttp2_session_del(session_); }
  OracleServer(const OracleServer&) = delete;
  OracleServer& operator=(const OracleServer&) = delete;

  void receive(std::string_view bytes) {
    const auto* data = reinterpret_cast<const std::uint8_t*>(bytes.data());
    if (nghttp2_session_mem_recv(session_, data, bytes.size()) < 0) seen.dead = true;
    send();
  }

  Seen seen;

 private:
  static int on_frame(nghttp2_session*, const nghttp2_frame* frame, void* user) {
    if (frame->hd.type != NGHTTP2_HEADERS || frame->headers.cat != NGHTTP2_HCAT_REQUEST) return 0;
    static_cast<Seen*>(user)->requests.insert(static_cast<std::uint32_t>(frame->hd.stream_id));
    return 0;
  }
  static int on_chunk(nghttp2_session*, std::uint8_t, std::int32_t stream, const std::uint8_t* data, std::size_t size,
                      void* user) {
    static_cast<Seen*>(user)->payload[static_cast<std::uint32_t>(stream)].append(reinterpret_cast<const char*>(data),
                                                                                 size);
    return 0;
  }
  void send() {
    const std::uint8_t* data = nullptr;
    while (nghttp2_session_mem_send(session_, &data) > 0) {
      const FrameHead head = read_frame_head(reinterpret_cast<const char*>(data));
      if (head.type == FrameType::rst_stream) seen.resets.insert(head.stream);
      if (head.type == FrameType::goaway) seen.dead = true;
    }
  }

  nghttp2_session* session_ = nullptr;
};

class FrameMaker {
 public:
  explicit FrameMaker(unsigned seed) : random_(seed) {}

  std::size_t below(std::size_t limit) { return random_() % limit; }

  /// `open`: the streams whose requests have not ended.
  std::string next(const std::vector<std::uint32_t>& open) {
    const std::size_t choice = below(20);
    if (open.empty() || choice < 4) return request(last_ += 2);
    const std::uint32_t id = open[below(open.size())];
    if (choice < 12) return data(id, text(60), below(6) == 0);
    switch (choice) {
      case 12: return window_update(below(2) == 0 ? 0 : id, static_cast<std::uint32_t>(below(1000)) + 1);
      case 13: return rst(id);
      case 14: return ping();
      case 15: return settings(setting(Setting::initial_window_size, static_cast<std::uint32_t>(below(70000))));
      case 16: return headers(id, literal("x-trailer", "v"), below(5) != 0);
      case 17: return window_update(id, 0x7fffffff);
      case 18: {
        const std::string padding(below(6), '\0');
        return frame(FrameType::data, flag::padded, id, static_cast<char>(padding.size()) + text(10) + "x" + padding);
      }
      default: return frame(static_cast<FrameType>(20 + below(5)), 0, id, text(30));
    }
  }
  void damage(std::string& bytes) {
    bytes[below(std::min<std::size_t>(bytes.size(), 14))] ^= static_cast<char>(1 << below(8));
  }

 private:
  std::string text(std::size_t longest) { return std::string(below(longest), static_cast<char>('a' + below(26))); }

  std::string block() {
    switch (below(12)) {
      case 0: return kGetBlock + literal("X", "y");
      case 1: return kGetBlock + literal("connection", "close");
      case 2: return kGetBlock.substr(1);
      case 3: return kGetBlock + literal("x", "y") + "\x82";
      case 4: return kPostBlock + literal("content-length", std::to_string(below(200)));
      case 5: return kPostBlock + literal(":x", "y");
      default: return kPostBlock + inserted("x", text(50));
    }
  }
  std::string request(std::uint32_t id) {
    const std::string all = block();
    if (below(4) != 0) return headers(id, all, below(4) == 0);
    const std::size_t cut = below(all.size());
    return frame(FrameType::headers, below(4) == 0 ? flag::end_stream : std::uint8_t{0}, id, all.substr(0, cut)) +
           frame(FrameType::continuation, flag::end_headers, id, all.substr(cut));
  }

  std::mt19937 random_;
  std::uint32_t last_ = static_cast<std::uint32_t>(-1);
};

/// Our own side, read from its records.
Seen seen_by(Conversation& c) {
  Seen seen;
  for (std::string_view rest = c.calls; !rest.empty();) {
    const std::string line(rest.substr(0, rest.find('\n')));
    rest.remove_prefix(line.size() + 1);
    const auto id = [&line](std::size_t at) { return static_cast<std::uint32_t>(std::stoul(line.substr(at))); };
    if (line.starts_with("request ")) seen.requests.insert(id(8));
    if (line.starts_with("refused ")) seen.requests.insert(id(8));
  }
  for (std::string_view rest = c.out; !rest.empty();) {
    const FrameHead head = read_frame_head(rest.data());
    if (head.type == FrameType::rst_stream) seen.resets.insert(head.stream);
    rest.remove_prefix(kFrameHead + head.length);
  }
  seen.payload = c.payloads;
  seen.dead = c.machine.dead();
  return seen;
}

std::vector<std::uint32_t> open_requests(const Conversation& c) {
  std::vector<std::uint32_t> open;
  for (const Stream* stream : c.held()) {
    if (stream->request == Stream::Half::open) open.push_back(stream->id);
  }
  return open;
}

bool is_stricter(std::string_view rule) {
  for (const std::string_view known :
       {"a stream number that is not larger than the ones before", "padding that is longer than its frame",
        "DATA of a stream that has ended", "a frame larger than SETTINGS_MAX_FRAME_SIZE",
        "more than eight CONTINUATION frames"}) {
    if (rule == known) return true;
  }
  return rule.starts_with("too many");
}

}  // namespace

TEST_CASE("Random frames have the same effect as on nghttp2") {
  const unsigned first_seed = std::random_device{}();
  std::size_t both_alive = 0, both_dead = 0, ours_only = 0, theirs_only = 0, requests = 0, resets = 0;
  for (unsigned run = 0; run < 3000; ++run) {
    INFO("seed ", first_seed + run);
    FrameMaker maker(first_seed + run);
    Conversation c;
    OracleServer oracle;
    const auto both_receive = [&](const std::string& bytes) {
      c.receive(bytes);
      oracle.receive(bytes);
    };
    both_receive(std::string(kPreface) + settings());
    for (int i = 0; i < 60; ++i) both_receive(maker.next(open_requests(c)));
    const Seen ours = seen_by(c);
    // Of a body that is shorter than its Content-Length nghttp2 still gives the final piece.
    Seen theirs = oracle.seen;
    for (const std::uint32_t id : ours.resets)
      theirs.payload[id] = ours.payload.contains(id) ? ours.payload.at(id) : "";
    std::erase_if(theirs.payload, [](const auto& entry) { return entry.second.empty(); });
    CHECK(ours == theirs);
    requests += ours.requests.size();
    resets += ours.resets.size();

    std::string bytes = maker.next(open_requests(c));
    maker.damage(bytes);
    both_receive(bytes);
    const bool dead = c.machine.dead();
    if (dead && oracle.seen.dead) ++both_dead;
    if (!dead && !oracle.seen.dead) ++both_alive;
    if (dead && !oracle.seen.dead) {
      ++ours_only;
      CHECK_MESSAGE(is_stricter(c.last_rule), c.last_rule);
    }
    if (!dead && oracle.seen.dead) {
      ++theirs_only;
      const bool ignored = ours.resets.contains(read_frame_head(bytes.data()).stream);
      const bool reset = seen_by(c).resets.size() > ours.resets.size();
      const bool unfinished = read_frame_head(bytes.data()).type == FrameType::headers;
      CHECK((ignored || reset || unfinished));
    }
  }
  MESSAGE(requests, " requests, ", resets, " resets; damaged frame: ", both_alive, " live, ", both_dead, " ended, ",
          ours_only, " ended on our side only, ", theirs_only, " on that of nghttp2; seed ", first_seed);
  CHECK(requests > 10000);
  CHECK(resets > 1000);
  CHECK(both_dead > 300);
}
