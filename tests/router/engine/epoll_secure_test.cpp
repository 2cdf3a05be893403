// Streams with a transform that adds 1 to every byte, after a handshake of two bytes: "??" is answered with "!".
#include <algorithm>
#include <array>
#include <utility>

#include "router/engine/epoll_engine.hpp"
#include "tests/router/engine/running.hpp"

using namespace gray;
using namespace gray::engine;

namespace {

std::string shifted(std::string_view bytes, int by) {
  std::string out(bytes);
  for (char& c : out) c = static_cast<char>(c + by);
  return out;
}

struct Shift final : Transform {
  int questions = 0;
  bool is_begun = false, finished = false;

  Received receive(std::string_view bytes, std::span<char> clear, CipherSink& sink) override {
    is_begun = true;
    for (; !open() && !bytes.empty(); bytes.remove_prefix(1)) {
      if (bytes.front() != '?') {
        sink.put("no");
        return {State::failed, 0};
      }
      if (++questions == 2) sink.put("!");
    }
    std::size_t count = 0;
    for (const char c : bytes) {
      if (c == '.') return {State::ended, count};
      if (c == '#') return {State::failed, count};
      clear[count++] = static_cast<char>(c - 1);
    }
    return {open() ? State::open : State::handshake, count};
  }
  bool send(std::string_view clear, CipherSink& sink) override {
    sink.put(shifted(clear, 1));
    return true;
  }
  void finish(CipherSink& sink) override {
    if (open() && !std::exchange(finished, true)) sink.put("$");
  }
  bool open() const override { return questions == 2; }
  bool begun() const override { return is_begun; }
  std::size_t memory() const override { return 1'000; }
};

/// Records what Log does not.
struct SecureLog final : StreamHandler {
  explicit SecureLog(Engine& its_engine) : engine(its_engine) {}
  Engine& engine;
  StreamId stream;
  std::string data;
  int secured = 0, insecure = 0, ends = 0, failures = 0, closes = 0;
  bool secured_first = true;

  void on_connected(int) override {}
  void on_secured() override { ++secured; }
  void on_insecure() override {
    ++insecure;
    engine.close(stream);
  }
  void on_data(std::string_view bytes) override {
    secured_first = secured_first && secured == 1;
    data += bytes;
  }
  std::size_t read_size() override { return kMaxRead; }
  void on_end() override { ++ends; }
  void on_writable() override {}
  void on_failed(int) override {
    ++failures;
    engine.close(stream);
  }
  void on_peer_closing(bool) override {}
  void on_closed() override { ++closes; }
};

struct Secured {
  Running run;
  Pair pair;
  SecureLog log{*run.engine};
  // The handler must live until its last event.
  ~Secured() {
    run.on([&] { run.engine->close(log.stream); });
    if (log.stream && !run.until([&] { return log.closes > 0; })) std::abort();
  }
  Secured() {
    run.on([&] { log.stream = run.engine->adopt(pair.ours.release(), log, std::make_unique<Shift>()); });
  }
  void handshake() {
    pair.write("??");
    REQUIRE(run.until([&] { return log.secured == 1; }));
    CHECK(pair.read(1) == "!");
  }
};

}  // namespace

TEST_CASE_FIXTURE(Secured, "bytes are handed out after the handshake, in the clear") {
  pair.write("?");
  run.on([] {});
  CHECK(run.get(log.secured) == 0);
  pair.write("?bcd");
  REQUIRE(run.until([&] { return log.data == "abc"; }));
  CHECK(run.get(log.secured_first));
  CHECK(pair.read(1) == "!");
  run.on([&] { run.engine->send(log.stream, "abc"); });
  CHECK(pair.read(3) == "bcd");
  run.on([&] {
    const std::array<std::string_view, 3> pieces{"a", "", "bc"};
    run.engine->send_pieces(log.stream, pieces);
  });
  CHECK(pair.read(3) == "bcd");
}

TEST_CASE_FIXTURE(Secured, "a handshake that fails tells the peer and the handler") {
  pair.write("x");
  REQUIRE(run.until([&] { return log.closes == 1; }));
  CHECK(run.get(log.insecure) == 1);
  CHECK(run.get(log.secured) == 0);
  CHECK(pair.read(2) == "no");
}

TEST_CASE_FIXTURE(Secured, "a peer that leaves within the handshake is a failure") {
  pair.write("?");
  run.on([] {});
  pair.peer.reset();
  REQUIRE(run.until([&] { return log.closes == 1; }));
  CHECK(run.get(log.failures) == 1);
}

TEST_CASE_FIXTURE(Secured, "the end that the transform reports is the end of the stream") {
  handshake();
  pair.write("b.");
  REQUIRE(run.until([&] { return log.ends == 1; }));
  CHECK(run.get(log.data) == "a");
}

TEST_CASE_FIXTURE(Secured, "a failure after the handshake fails the stream") {
  handshake();
  pair.write("b#");
  REQUIRE(run.until([&] { return log.failures == 1; }));
}

TEST_CASE_FIXTURE(Secured, "an orderly end is announced, a cut is not") {
  handshake();
  run.on([&] { run.engine->finish(log.stream); });
  CHECK(pair.read(1) == "$");
  Secured closed, cut, sent;
  for (Secured* const one : {&closed, &cut, &sent}) one->handshake();
  closed.run.on([&] { closed.run.engine->close(closed.log.stream); });
  CHECK(closed.pair.read(1) == "$");
  sent.run.on([&] {
    sent.run.engine->send(sent.log.stream, "a");
    sent.run.engine->close_after_send(sent.log.stream, Duration{1'000}, Duration{0});
  });
  CHECK(sent.pair.read(2) == "b$");
  cut.run.on([&] {
    cut.run.engine->abort(cut.log.stream);
    cut.run.engine->close(cut.log.stream);
  });
  CHECK(cut.pair.read(1).empty());
}

TEST_CASE_FIXTURE(Secured, "what the kernel does not take is kept, with what the transform adds") {
  handshake();
  const std::string body(kMaxUnsent - 4'096, 'a');
  run.on([&] { run.engine->send(log.stream, body); });
  CHECK(pair.read(body.size()) == shifted(body, 1));
  CHECK(run.get(log.failures) == 0);
}

TEST_CASE("many handshakes are served one after the other, all of them") {
  Running run;
  constexpr int kStreams = 300;  // more than may be in progress
  std::vector<Pair> pairs(kStreams);
  std::vector<std::unique_ptr<SecureLog>> logs;
  for (int i = 0; i < kStreams; ++i) logs.push_back(std::make_unique<SecureLog>(*run.engine));
  run.on([&] {
    for (std::size_t i = 0; i < kStreams; ++i)
      logs[i]->stream = run.engine->adopt(pairs[i].ours.release(), *logs[i], std::make_unique<Shift>());
  });
  struct Closed {
    Running& run;
    std::vector<std::unique_ptr<SecureLog>>& logs;
    ~Closed() {
      run.on([&] {
        for (const auto& log : logs) run.engine->close(log->stream);
      });
      run.until([&] { return run.engine->open_streams() == 0; });
    }
  } closed{run, logs};
  for (const Pair& pair : pairs) pair.write("?");
  for (const Pair& pair : pairs) pair.write("?b");
  REQUIRE(run.until([&] { return std::ranges::all_of(logs, [](const auto& log) { return log->data == "a"; }); }));
}
