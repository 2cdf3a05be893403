// A whole router thread under random steps: clients and workers that send and take bytes in pieces, stop for a while,
// close, reset, and are waited for in vain. At the end of a round all of them go on: no request and no stream may be
// stuck, and nothing may be held.
//
// Every body is the same endless pattern from its beginning, so that a lost, repeated or moved byte is found.
#include <map>
#include <random>
#include <set>

#include "tests/router/process/rig.hpp"
#include "tests/router/process/simulated_engine.hpp"

using namespace gray;
using namespace gray::test;

namespace {

constexpr std::size_t kWindow = 300 * 1024;  // bytes that a peer may have sent before they are read

std::string pattern(std::size_t from, std::size_t count) {
  std::string bytes(count, '\0');
  for (std::size_t i = 0; i < count; ++i) bytes[i] = static_cast<char>('a' + (from + i) % 23);
  return bytes;
}

/// Reads messages of either side: a head, and a body by length or in chunks.
class MessageReader {
 public:
  /// Takes the bytes. What has ended is in `heads`.
  void feed(std::string_view bytes) {
    bytes_ += bytes;
    while (!broken && step()) {
    }
  }
  std::vector<std::string> heads;  // of complete messages
  std::string head;                // of the message that is being read
  std::size_t body = 0;            // bytes of it
  bool in_body = false, broken = false, tunnel = false;

 private:
  bool step() {
    if (tunnel) return take(bytes_.size()), false;
    if (!in_body) return read_head();
    if (!chunked_) return read_sized();
    return read_chunk();
  }
  bool read_head() {
    const std::size_t end = bytes_.find("\r\n\r\n");
    if (end == std::string::npos) return false;
    head = bytes_.substr(0, end + 2);
    bytes_.erase(0, end + 4);
    body = 0;
    if (head.starts_with("HTTP/1.1 101")) return tunnel = true;
    if (head.starts_with("HTTP/1.1 1")) return true;
    in_body = true;
    chunked_ = head.find("chunked") != std::string::npos;
    const std::size_t length = head.find("ontent-Length: ");
    left_ = length == std::string::npos ? 0 : std::stoul(head.substr(length + 15));
    in_chunk_ = false;
    return true;
  }
  bool read_sized() {
    if (left_ > 0 && bytes_.empty()) return false;
    take(std::min(left_, bytes_.size()));
    if (left_ == 0) end();
    return true;
  }
  bool read_chunk() {
    if (in_chunk_ && left_ > 0) {
      if (bytes_.empty()) return false;
      take(std::min(left_, bytes_.size()));
      return true;
    }
    const std::size_t line = bytes_.find("\r\n", in_chunk_ ? 2 : 0);  // behind the end of the previous chunk
    if (line == std::string::npos) return false;
    left_ = std::stoul(bytes_.substr(in_chunk_ ? 2 : 0), nullptr, 16);
    if (left_ == 0 && bytes_.size() < line + 4) return false;
    bytes_.erase(0, left_ == 0 ? line + 4 : line + 2);
    in_chunk_ = true;
    if (left_ == 0) end();
    return true;
  }
  // Bodies of answers by the router itself are no pattern.
  void take(std::size_t count) {
    const bool own = head.find("X-Gray-Reason") != std::string::npos;
    if (!own && bytes_.compare(0, count, pattern(body, count)) != 0) broken = true;
    bytes_.erase(0, count);
    body += count;
    left_ -= std::min(left_, count);
  }
  void end() {
    in_body = false;
    heads.push_back(head);
  }

  std::string bytes_;
  std::size_t left_ = 0;
  bool chunked_ = false, in_chunk_ = false;
};

struct Peer {
  std::string to_send;  // may be sent at any time
  MessageReader reader;
  bool left = false;  // has closed or reset, or will
  // Of a client.
  std::size_t asked = 0;   // requests
  std::size_t echoed = 0;  // bytes that its tunnel must bring back
  // Of a worker.
  std::size_t answered = 0;
  bool answered_early = false;
};

struct OneShard final : proxy::ShardHost {
  proxy::Shard* shard = nullptr;
  int closed_clients = 0;
  void hand_over(std::uint32_t, int, std::uint32_t, std::uint32_t, std::uint64_t) override {}
  void wake(std::uint32_t, std::uint32_t row) override {
    shard->post([this, row] { shard->backends().advance(shard->backends().version(row)); });
  }
  std::uint32_t threads() const override { return 1; }
  void ask(std::uint32_t, std::uint32_t, std::uint32_t) override {}
  void ask(std::uint32_t, std::uint32_t, std::uint32_t, std::uint32_t, std::uint64_t) override {}
  void wake_routers() override {}
  void met_stranger(std::uint32_t, std::uint64_t, const PeerOwner&) override {}
  void met_untrusted_proxy(const Address&) override {}
  void worker_unused() override {}
  void assign(std::uint32_t, int, const Address&, proxy::Opening) override {}
  bool claim(const Address&, const Address&) override { return true; }
  void closed(std::uint32_t, const Address&) override { ++closed_clients; }
  void probed(std::uint64_t, proxy::ProbeAnswer) override {}
  void http2_failed(const Address&, const char*) override {}
  void handshake_failed(const Address&, tls::HandshakeFailure) override {}
  void drained(std::uint32_t) override {}
};

class Steps {
 public:
  /// `calm`: nobody closes, resets, fails or waits for long, so every request must be answered with 200.
  Steps(unsigned seed, bool calm) : random_(seed), calm_(calm) {
    Plan plan{{{*Address::parse("127.0.0.1:1"), *Address::parse("127.0.0.1:2")}}, few_sockets(6)};
    plan.limits.min_rate = calm ? 0 : 1024;
    plan.limits.queue_timeout = calm ? Duration{60'000} : Duration{8'000};
    host_.shard = &*shard_;
    engine_->takes_of = [this](std::size_t bytes) { return below(20) == 0 ? below(2) * bytes / 3 : bytes; };
    engine_->refuses = [this] { return !calm_ && below(10) == 0; };
    shard_->post([this, plan] { shard_->apply(table_of(plan)); });
    pass(Duration{1});
  }

  void step() {
    static const Address peer = *Address::parse("127.0.0.1:9");
    ++steps_;
    if (below(20) == 0) return pass(Duration{below(30)});
    if (!calm_ && below(2'000) == 0) return pass(Duration{70'000});
    if (!calm_ && below(500) == 0) return pass(Duration{700});
    std::vector<SimulatedStream*> streams = open_streams();
    if (streams.size() < 24 && below(40) == 0) {
      shard_->post([this] { shard_->open(-1, peer, proxy::Opening::request); });
      return pass(Duration{0});
    }
    if (streams.empty()) return;
    SimulatedStream& stream = *streams[below(static_cast<unsigned>(streams.size()))];
    Peer& other = peers_[stream.id.index];
    switch (below(6)) {
      case 0: return stream.accepted ? ask(other) : void(stream.answers_connect = calm_ || below(8) > 0);
      case 1:
      case 2: send(stream, other, 1 + below(below(4) == 0 ? 100'000 : 3'000)); break;
      case 3:
      case 4: take(stream, other, 1 + below(below(4) == 0 ? 100'000 : 3'000)); break;
      default:
        if (!calm_ && below(40) == 0) leave(stream, other);
        stream.room = 1 + below(below(3) == 0 ? 400'000 : 60'000);
    }
    if (below(3) == 0) pass(Duration{0});
  }

  /// All peers go on. False: a request is stuck. It takes less time than any of the limits.
  bool settle() {
    const TimePoint until = now_ + Duration{1'500};
    while (now_ < until) {
      for (SimulatedStream* stream : open_streams()) {
        Peer& other = peers_[stream->id.index];
        stream->answers_connect = true;
        stream->room = 64 * 1024;
        send(*stream, other, SIZE_MAX);
        take(*stream, other, SIZE_MAX);
      }
      pass(Duration{1});
      if (quiet()) return true;
    }
    return false;
  }

  /// What is stuck, for the report of a failure.
  std::string describe() {
    std::string text = std::to_string(shard_->transactions().in_use()) + " transactions\n";
    engine_->for_each([&](const SimulatedStream& stream) {
      const Peer& other = peers_[stream.id.index];
      text += (stream.accepted ? "client " : "worker ") + std::to_string(stream.id.index) + ": phase " +
              std::to_string(static_cast<int>(stream.phase)) + ", pauses " + std::to_string(stream.pauses) + ", in " +
              std::to_string(stream.in.size()) + ", tail " + std::to_string(stream.tail.size()) + ", out " +
              std::to_string(stream.out.size()) + ", to send " + std::to_string(other.to_send.size()) + ", asked " +
              std::to_string(other.asked) + ", read " + std::to_string(other.reader.heads.size()) +
              (other.reader.tunnel ? ", tunnel" : "") + (other.left ? ", left" : "") + ", body " +
              std::to_string(other.reader.body) + ", to echo " + std::to_string(other.echoed) + "; " +
              other.reader.head.substr(0, other.reader.head.find('\r')) + "\n";
    });
    return text;
  }

  void check_nothing_is_held() {
    CHECK(shard_->transactions().in_use() == 0);
    CHECK(segment_->versions[0].waiting.total() == 0);
    CHECK(segment_->versions[0].slow.total() == 0);
    CHECK(segment::sum(*segment_, 0).in_flight == 0);
    engine_->for_each([](const SimulatedStream& stream) {
      CHECK(stream.pauses == 0);
      CHECK(stream.tail.empty());
    });
    CHECK(shard_->buffers().outstanding() == 0);
  }
  /// Everybody leaves: all that was taken of the budget is given back when the shard ends.
  void check_end() {
    for (SimulatedStream* stream : open_streams()) stream->in_end = true;
    for (int i = 0; i < 10; ++i) pass(Duration{1'000});
    CHECK(open_streams().empty());
    CHECK(segment_->workers[0].sockets.total() + segment_->workers[1].sockets.total() == 0);
    shard_.reset();
    CHECK(memory_.used() == 0);
  }

  std::size_t steps() const { return steps_; }
  std::size_t answers(std::string_view status) const {
    std::size_t count = 0;
    for (const auto& [first, answers] : answers_) count += first.starts_with(status) ? answers : 0;
    return count;
  }
  std::size_t tunnels() const { return tunnels_; }
  std::size_t unfinished() const { return unfinished_; }

 private:
  unsigned below(unsigned n) { return static_cast<unsigned>(random_() % n); }

  std::vector<SimulatedStream*> open_streams() {
    std::vector<SimulatedStream*> streams;
    engine_->for_each([&](SimulatedStream& stream) {
      if (stream.phase < SimulatedStream::Phase::closed) streams.push_back(&stream);
    });
    return streams;
  }

  void pass(Duration time) {
    now_ += time;
    for (SimulatedStream* stream : open_streams()) watched_[stream->id.index] = stream->accepted;
    engine_->turn(now_);
    forget_closed();
  }
  // The engine frees a stream that has ended, and what its peer has not taken is lost with it.
  void forget_closed() {
    std::set<std::uint32_t> open;
    for (SimulatedStream* stream : open_streams()) open.insert(stream->id.index);
    std::erase_if(watched_, [&](const auto& entry) {
      if (open.contains(entry.first)) return false;
      Peer& other = peers_[entry.first];
      if (entry.second && !other.left && is_cut(other)) ++unfinished_;
      if (entry.second) count(other);
      peers_.erase(entry.first);
      return true;
    });
  }
  /// Its connection has ended without the answers that it may expect.
  static bool is_cut(const Peer& client) {
    const MessageReader& reader = client.reader;
    if (reader.tunnel) return reader.body != client.echoed;
    const bool announced = reader.head.find("Connection: close") != std::string::npos;
    return reader.in_body || (client.asked > reader.heads.size() && !announced);
  }
  void count(Peer& other) {
    for (const std::string& head : std::exchange(other.reader.heads, {})) ++answers_[head.substr(9, 3)];
  }

  /// One more request of a client.
  void ask(Peer& other) {
    if (other.left || other.reader.tunnel || other.echoed > 0 || other.asked - other.reader.heads.size() > 3) return;
    static constexpr std::size_t kSizes[] = {0, 10, 3'000, 20'000, 150'000, 400'000};
    const std::size_t answer = kSizes[below(6)], body = kSizes[below(6)];
    const std::string path = " /" + std::to_string(answer) + (below(2) == 0 ? "/pieces" : "/length");
    const std::string host = " HTTP/1.1\r\nHost: a\r\n";
    switch (below(5)) {
      case 0:
        other.to_send +=
            "POST" + path + host + "Content-Length: " + std::to_string(body) + "\r\n\r\n" + pattern(0, body);
        break;
      case 1: other.to_send += "POST" + path + host + "Transfer-Encoding: chunked\r\n\r\n" + chunks(body); break;
      case 2:
        other.to_send +=
            "POST" + path + "/early" + host + "Content-Length: " + std::to_string(body) + "\r\n\r\n" + pattern(0, body);
        break;
      case 3:
        if (other.asked == other.reader.heads.size() && other.to_send.empty() && below(8) == 0) {
          other.echoed = body + 1;
          other.to_send += "GET" + path + host + "Connection: Upgrade\r\nUpgrade: echo\r\n\r\n" + pattern(0, body + 1);
          return;
        }
        [[fallthrough]];
      default: other.to_send += "GET" + path + host + "\r\n";
    }
    ++other.asked;
  }
  std::string chunks(std::size_t size) {
    std::string text;
    for (std::size_t at = 0; at < size;) {
      const std::size_t count = std::min<std::size_t>(size - at, 1 + below(30'000));
      char head[20];
      std::snprintf(head, sizeof head, "%zx\r\n", count);
      text += head + pattern(at, count) + "\r\n";
      at += count;
    }
    return text + "0\r\n\r\n";
  }

  void send(SimulatedStream& stream, Peer& other, std::size_t most) {
    if (stream.in_end || stream.in_reset || stream.phase == SimulatedStream::Phase::connecting) return;
    const std::size_t room = kWindow - std::min(kWindow, stream.in.size());
    const std::size_t count = std::min({most, room, other.to_send.size()});
    stream.in += other.to_send.substr(0, count);
    other.to_send.erase(0, count);
    // A worker that has echoed all ends its tunnel after the client; a client ends it when all has come back.
    const bool ends = stream.accepted ? other.reader.tunnel && other.reader.body == other.echoed
                                      : other.reader.tunnel && stream.out_end && stream.out.empty();
    if (other.to_send.empty() && ends) stream.in_end = true;
  }

  void take(SimulatedStream& stream, Peer& other, std::size_t most) {
    const std::string bytes = stream.out.substr(0, most);
    stream.out.erase(0, bytes.size());
    if (!stream.accepted && other.reader.tunnel) other.to_send += bytes;
    other.reader.feed(bytes);
    if (other.reader.broken) FAIL(describe() << "wrong bytes for " << stream.id.index << ": " << bytes.substr(0, 300));
    if (stream.accepted) {
      // No tunnel: what it sent behind its request looks like half of another one.
      if (other.reader.heads.size() > other.asked) other.left = stream.in_end = true;
      if (stream.out_end && stream.out.empty()) stream.in_end = true;
      return;
    }
    if (other.left) return;
    if (other.reader.in_body && other.reader.head.find("Upgrade: echo") != std::string::npos) return;
    const bool early =
        other.reader.in_body && !other.answered_early && other.reader.head.find("/early") != std::string::npos;
    if (early) {
      other.answered_early = true;
      answer(other, other.reader.head);
    }
    while (other.answered < other.reader.heads.size()) {
      if (!std::exchange(other.answered_early, false)) answer(other, other.reader.heads[other.answered]);
      ++other.answered;
    }
  }
  void answer(Peer& other, const std::string& head) {
    if (head.find("pgrade: echo") != std::string::npos) {
      other.to_send += "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n";
      other.reader.head = "HTTP/1.1 101";
      other.reader.tunnel = true;
      other.reader.body = 0;
      ++tunnels_;
      return;
    }
    const std::size_t slash = head.find('/');
    const std::size_t size = std::stoul(head.substr(slash + 1));
    if (head.find("/pieces") != std::string::npos) {
      other.to_send += "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + chunks(size);
    } else {
      other.to_send += "HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(size) + "\r\n\r\n" + pattern(0, size);
    }
  }

  void leave(SimulatedStream& stream, Peer& other) {
    const bool between_messages =
        other.to_send.empty() && stream.in.empty() && !other.reader.tunnel && other.echoed == 0;
    other.left = true;
    switch (below(between_messages ? 3 : 2)) {
      case 0: stream.in_end = true; break;
      case 1: stream.in_reset = true; break;
      default: stream.in += "HTTP/9 nonsense\r\n\r\n";
    }
  }

  /// Every client has its answers, or has left, or was closed.
  bool quiet() {
    bool done = true;
    engine_->for_each([&](const SimulatedStream& stream) {
      const Peer& other = peers_[stream.id.index];
      if (stream.phase != SimulatedStream::Phase::open) done = false;
      if (stream.accepted && (other.left || other.reader.tunnel)) done = false;  // the router will close it
      if (stream.accepted && (other.echoed > 0 || other.reader.heads.size() < other.asked)) done = false;
      if (!stream.in.empty() || !stream.out.empty() || !other.to_send.empty()) done = false;
    });
    return done && shard_->transactions().in_use() == 0;
  }

  std::mt19937 random_;
  const bool calm_;
  OneShard host_;
  segment::Segment segment_ = segment::Segment::create();
  engine::MemoryBudget memory_{16 << 20};
  SimulatedEngine* engine_ = nullptr;
  std::optional<proxy::Shard> shard_{
      std::in_place, host_, *segment_,
      proxy::ShardOptions{{0, 0}, memory_, {}, {}, 7, policy::kRateWindow, [this](engine::BufferPool& buffers) {
                            auto made = std::make_unique<SimulatedEngine>(buffers);
                            engine_ = made.get();
                            return made;
                          }}};
  TimePoint now_{};
  std::map<std::uint32_t, Peer> peers_;
  std::map<std::uint32_t, bool> watched_;  // open streams: whether accepted
  std::map<std::string, std::size_t> answers_;
  std::size_t steps_ = 0, tunnels_ = 0, unfinished_ = 0;
};

/// GRAY_STEPS: how many in all; without it so many that the test takes seconds.
std::size_t wanted_steps() {
  const char* text = std::getenv("GRAY_STEPS");
  return text == nullptr ? 60'000 : std::stoul(text);
}

void run(bool calm) {
  const unsigned seed = std::random_device{}();
  MESSAGE("seed " << seed);
  std::size_t steps = 0, answers = 0, tunnels = 0;
  for (unsigned round = 0; steps < wanted_steps(); ++round) {
    CAPTURE(seed + round);
    Steps life(seed + round, calm);
    for (int part = 0; part < 4; ++part) {
      for (int i = 0; i < 1'000; ++i) life.step();
      REQUIRE_MESSAGE(life.settle(), life.describe());
      life.check_nothing_is_held();
    }
    life.check_end();
    steps += life.steps();
    answers += life.answers("200");
    tunnels += life.tunnels();
    if (!calm) continue;
    CHECK(life.unfinished() == 0);
    CHECK(life.answers("") == life.answers("200"));
  }
  MESSAGE(steps << " steps, " << answers << " answers, " << tunnels << " tunnels");
  CHECK(answers > steps / 200);
  CHECK(tunnels > 0);
}

}  // namespace

TEST_CASE("under random steps of well-behaved peers every request is answered whole, and nothing stays held") {
  run(true);
}

TEST_CASE("under closes, resets, failures and time-outs at any moment no stream gets stuck, and nothing stays held") {
  run(false);
}
