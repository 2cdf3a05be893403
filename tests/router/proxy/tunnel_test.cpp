// The tunnel alone, between two sides that record what they get; then whole exchanges with upgrade requests: when bytes
// begin to pass unparsed, and how tunnels end.
#include "router/proxy/tunnel.hpp"

#include "config/shared/totals.hpp"
#include "tests/router/backends/send_log.hpp"
#include "tests/router/process/upgrades.hpp"

using namespace gray;
using namespace gray::proxy;
using namespace gray::test;
using segment::Reason;

namespace {

const std::string kText("\x81\x02hi", 4);
const std::string kClose("\x88\x02\x03\xe8", 4);
const std::string kGoingAway("\x88\x02\x03\xe9", 4);

/// Records what a tunnel sends to a client.
struct TunnelClient final : ClientSide {
  std::string bytes;
  bool finished = false, ended = false, closes = false;

  void response_data(std::string_view payload) override { bytes += payload; }
  void finish() override { finished = true; }
  void end_response(bool close) override {
    ended = true;
    closes = close;
  }
  const http::Request& request() override { return head; }
  void continue_request() override {}
  void interim(const http::Response&) override {}
  void start_response(const http::Response&, const http::ResponseExtras&) override {}
  void response_trailers(std::string_view) override {}
  void open_tunnel(const http::Response&, const http::ResponseExtras&) override {}
  void answer(const http::LocalAnswer&) override {}
  void done() override {}
  void cut() override {}
  void body_wanted() override {}
  bool backed_up() const override { return false; }
  std::size_t takes() const override { return engine::kMinRead; }
  bool has_room(std::uint64_t) const override { return true; }
  void fell_behind() override {}
  bool behind() const override { return false; }
  void pause_body() override {}
  void resume_body() override {}

  http::Request head;
};

/// Records what a tunnel sends to a worker.
struct TunnelWorker final : WorkerSide {
  std::string bytes;
  bool finished = false;
  Duration left_within{0};

  void send_raw(std::string_view raw) override { bytes += raw; }
  void finish() override { finished = true; }
  void leave(Duration within) override { left_within = within; }
  Worker& worker() const override { std::abort(); }
  bool connecting() const override { return false; }
  void send_head(const http::Request&, const http::RequestExtras&, const http::HeadLimits&) override {}
  void send_data(std::string_view) override {}
  void send_end() override {}
  void abort() override {}
  void pause() override {}
  void resume() override {}
  bool backed_up() const override { return false; }
  std::size_t takes() const override { return engine::kMinRead; }
  std::optional<std::uint64_t> rest() const override { return std::nullopt; }
  bool reused() const override { return false; }
  bool sent() const override { return true; }
  bool may_have_arrived() const override { return true; }
  bool answered() const override { return true; }
  segment::Speaks speaks() const override { return segment::Speaks::http11; }
  engine::StreamMemory memory(bool) const override { return {}; }
  void release() override {}
  void discard(bool) override {}
};

struct TunnelRig {
  explicit TunnelRig(std::string_view protocol) {
    tunnel.serve(client);
    tunnel.open(worker, protocol);
  }

  SendLog engine;
  Outbox outbox{engine};
  TunnelClient client;
  TunnelWorker worker;
  Tunnel tunnel{outbox};
};

/// Accepts the upgrade, then calls `then` with the connection.
FakeWorker::Script switches_and(std::function<void(FakeWorker::Call&)> then, std::string_view answer = kSwitch) {
  return [then = std::move(then), answer](FakeWorker::Call& call) {
    if (!call.next()) return;
    call.write(answer);
    then(call);
  };
}

bool ended(const Rig& rig, std::uint64_t requests = 1) {
  return eventually([&] { return rig.totals().requests == requests && rig.tunnels(0) == 0; });
}

std::string pattern(std::size_t size) {
  std::string bytes(size, '\0');
  std::uint32_t state = 1;
  for (char& byte : bytes) byte = static_cast<char>((state = state * 1664525 + 1013904223) >> 24);
  return bytes;
}

}  // namespace

TEST_CASE("a tunnel passes bytes both ways as they are") {
  TunnelRig rig("chat");
  rig.tunnel.client_bytes("question");
  rig.tunnel.worker_bytes("answer");
  rig.tunnel.client_bytes("\r\n");
  CHECK(rig.worker.bytes == "question\r\n");
  CHECK(rig.client.bytes == "answer");
}

TEST_CASE("a FIN is passed on behind the bytes before it, and the second one ends the tunnel") {
  for (const bool client_first : {true, false}) {
    CAPTURE(client_first);
    TunnelRig rig("chat");
    rig.outbox.append({1, 0}, "gathered");
    CHECK_FALSE((client_first ? rig.tunnel.client_ended() : rig.tunnel.worker_ended()));
    CHECK(rig.engine.sent.size() == 1);
    CHECK(rig.worker.finished == client_first);
    CHECK(rig.client.finished == !client_first);
    CHECK((client_first ? rig.tunnel.worker_ended() : rig.tunnel.client_ended()));
    CHECK_FALSE(rig.client.ended);
    CHECK(rig.tunnel.close() == Reason::none);
    CHECK(rig.client.ended);
    CHECK_FALSE(rig.client.closes);
    CHECK(rig.worker.left_within == Duration{30'000});
  }
}

TEST_CASE("a WebSocket that ends without a Close was broken by the side that ended first") {
  TunnelRig killed("WebSocket");
  killed.tunnel.worker_bytes(kText);
  killed.tunnel.worker_ended();
  killed.tunnel.client_ended();
  CHECK(killed.tunnel.close() == Reason::upstream_closed);

  TunnelRig left("websocket");
  left.tunnel.client_ended();
  left.tunnel.worker_bytes(kClose);
  left.tunnel.worker_ended();
  CHECK(left.tunnel.close() == Reason::client_gone);
}

TEST_CASE("after a Close of either side, any end of a WebSocket is a clean one") {
  for (const bool client_closes : {true, false}) {
    TunnelRig rig("websocket");
    client_closes ? rig.tunnel.client_bytes(kClose) : rig.tunnel.worker_bytes(kClose);
    rig.tunnel.worker_ended();
    rig.tunnel.client_ended();
    CHECK(rig.tunnel.close() == Reason::none);
  }
}

TEST_CASE("a tunnel that expires sends each side a Close frame, and leaves the worker a second to end") {
  TunnelRig rig("websocket");
  rig.tunnel.expire("mask");
  CHECK(rig.client.bytes == kGoingAway);
  CHECK(rig.worker.bytes.substr(0, 6) == std::string("\x88\x82mask", 6));
  CHECK(rig.worker.bytes.size() == 8);
  CHECK(rig.client.ended);
  CHECK(rig.client.closes);
  CHECK(rig.worker.left_within == Duration{1'000});
}

TEST_CASE("a Close frame is sent only at a frame boundary") {
  TunnelRig inside("websocket");
  inside.tunnel.worker_bytes(kText.substr(0, 3));
  inside.tunnel.expire("mask");
  CHECK(inside.client.bytes == kText.substr(0, 3));
  CHECK(inside.worker.bytes.size() == 8);

  TunnelRig behind("websocket");
  behind.tunnel.worker_bytes(kText.substr(0, 3));
  behind.tunnel.worker_bytes(kText.substr(3));
  behind.tunnel.expire("mask");
  CHECK(behind.client.bytes == kText + kGoingAway);
}

TEST_CASE("no Close frame is sent behind a Close, behind a FIN, or in an unknown protocol") {
  TunnelRig closed("websocket");
  closed.tunnel.worker_bytes(kClose);
  closed.tunnel.expire("mask");
  CHECK(closed.client.bytes == kClose);
  CHECK(closed.worker.bytes.size() == 8);

  TunnelRig ended("websocket");
  ended.tunnel.client_ended();
  ended.tunnel.expire("mask");
  CHECK(ended.worker.bytes.empty());
  CHECK(ended.client.bytes == kGoingAway);

  TunnelRig other("websocket/13");
  other.tunnel.expire("mask");
  CHECK(other.client.bytes.empty());
  CHECK(other.worker.bytes.empty());
  CHECK(other.client.ended);
}

TEST_CASE("a tunnel that is opened again starts anew") {
  TunnelRig rig("websocket");
  rig.tunnel.client_bytes(kText.substr(0, 1));
  rig.tunnel.client_ended();
  rig.worker.bytes.clear();
  rig.tunnel.open(rig.worker, "websocket");
  CHECK_FALSE(rig.tunnel.worker_ended());
  rig.tunnel.expire("mask");
  CHECK(rig.worker.bytes.size() == 8);
}

TEST_CASE("a 101 that was asked for opens a tunnel, and its head is ours (P24)") {
  FakeWorker worker(upgrades());
  Rig rig({{{worker.address()}}});
  Wire client = rig.dial();
  client.write(ask_for("chat/1", "Sec-Chat-Key: k\r\n"));
  const Message answer = client.read_answer();
  CHECK(answer.head.starts_with("HTTP/1.1 101 Switching Protocols\r\n"));
  CHECK(answer.field("connection") == "Upgrade");
  CHECK(answer.field("upgrade") == "chat/1");
  CHECK(answer.field("x-own") == "yes");
  CHECK(answer.field("x-gray-version") == "v1");
  CHECK(answer.field("x-gray-decision") == "stable");
  CHECK(answer.field("x-request-id").size() == 32);
  CHECK(answer.field("transfer-encoding").empty());
  CHECK(echo(client, "not HTTP\r\n\r\n") == "not HTTP\r\n\r\n");
  CHECK(rig.tunnels(0) == 1);
  CHECK(rig.sockets(0) == 0);
  CHECK(rig.totals().in_flight == 1);
  CHECK(rig.totals().requests == 0);
  const Message request = worker.seen().at(0);
  CHECK(request.field("connection") == "Upgrade");
  CHECK(request.field("upgrade") == "chat/1");
  CHECK(request.field("sec-chat-key") == "k");
  client.finish_writing();
  CHECK(client.read_rest().empty());
  CHECK(client.end() == Wire::End::closed);
  CHECK(ended(rig));
  CHECK(rig.totals().status_class[1] == 1);
  CHECK(rig.totals().in_flight == 0);
  CHECK(rig.reason(Reason::none) == 1);
}

TEST_CASE("a 101 that was not requested, or names a different protocol, is a 502 (P24)") {
  const std::string plain = Rig::request_for();
  const std::pair<std::string, std::string> rows[] = {
      {plain, std::string(kSwitch)},
      {ask_for("websocket"), std::string(kSwitch)},
      {ask_for("chat/1"), "HTTP/1.1 101 Switching Protocols\r\n\r\n"},
      {ask_for("chat/1"), "HTTP/1.0 101 Switching Protocols\r\nUpgrade: chat/1\r\n\r\n"},
      {ask_for("chat/1, h2c"), std::string(kSwitch)},
      {"POST / HTTP/1.1\r\nHost: test\r\nConnection: upgrade\r\nUpgrade: chat/1\r\nContent-Length: 5\r\n\r\nab",
       std::string(kSwitch)}};
  for (const auto& [request, answer] : rows) {
    CAPTURE(request);
    FakeWorker worker([&answer = answer](FakeWorker::Call& call) {
      Message head;
      if (call.read_head(head)) call.write(answer);
      call.read_rest();
    });
    Rig rig({{{worker.address()}}});
    Wire client = rig.dial();
    client.write(request);
    const Message got = client.read_answer();
    CHECK(got.status() == 502);
    CHECK(got.field("x-gray-reason") == "upstream-invalid");
    CHECK(ended(rig));
    CHECK(eventually([&] { return rig.sockets(0) == 0; }));
  }
}

TEST_CASE("a request that carries a body is upgraded once the body is through (P24)") {
  FakeWorker worker(upgrades());
  Rig rig({{{worker.address()}}});
  Wire client = rig.dial();
  client.write(
      "POST / HTTP/1.1\r\nHost: test\r\nConnection: upgrade\r\nUpgrade: chat/1\r\nContent-Length: 5\r\n\r\nhello");
  CHECK(client.read_answer().status() == 101);
  CHECK(worker.seen().at(0).body == "hello");
  CHECK(echo(client, "ping") == "ping");
}

TEST_CASE("another version of HTTP is never offered: the request is forwarded without the upgrade (P24)") {
  FakeWorker worker(answers(std::string(kOk)));
  Rig rig({{{worker.address()}}});
  Wire client = rig.dial();
  client.write(
      Rig::request_for("/", "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQ\r\n"));
  CHECK(client.read_answer().status() == 200);
  const Message request = worker.seen().at(0);
  CHECK(request.field("upgrade").empty());
  CHECK(request.field("connection").empty());
  CHECK(request.field("http2-settings").empty());
}

TEST_CASE("the client may end first: the worker still answers, then both ways are closed") {
  FakeWorker worker(switches_and([](FakeWorker::Call& call) {
    const std::string all = call.read_rest();
    CHECK(call.end() == Wire::End::closed);
    call.write("got " + all);
  }));
  Rig rig({{{worker.address()}}});
  Wire client = tunnel_to(rig);
  client.write("question");
  client.finish_writing();
  CHECK(client.read_rest() == "got question");
  CHECK(client.end() == Wire::End::closed);
  CHECK(ended(rig));
  CHECK(rig.reason(Reason::none) == 1);
}

TEST_CASE("the worker may end first: the client still speaks, then both ways are closed") {
  std::string heard;
  Gate done;
  FakeWorker worker(switches_and([&](FakeWorker::Call& call) {
    call.write("my last word");
    call.finish_writing();
    heard = call.read_rest();
    CHECK(call.end() == Wire::End::closed);
    done.open();
  }));
  Rig rig({{{worker.address()}}});
  Wire client = tunnel_to(rig);
  CHECK(client.read_rest() == "my last word");
  CHECK(client.end() == Wire::End::closed);
  const std::string much = pattern(1 << 20);
  client.write(much);
  client.finish_writing();
  done.wait();
  CHECK(heard == much);
  CHECK(ended(rig));
}

TEST_CASE("a reset of the client is a reset for the worker") {
  Gate reset;
  FakeWorker worker(switches_and([&](FakeWorker::Call& call) {
    call.read_rest();
    CHECK(call.end() == Wire::End::reset);
    reset.open();
  }));
  Rig rig({{{worker.address()}}});
  tunnel_to(rig).reset();
  reset.wait();
  CHECK(ended(rig));
  CHECK(rig.reason(Reason::client_gone) == 1);
}

TEST_CASE("a reset of the worker is a reset for the client") {
  FakeWorker worker(switches_and([](FakeWorker::Call& call) {
    std::string byte;
    call.read_exactly(1, byte);
    call.reset();
  }));
  Rig rig({{{worker.address()}}});
  Wire client = tunnel_to(rig);
  client.write("x");
  client.read_rest();
  CHECK(client.end() == Wire::End::reset);
  CHECK(ended(rig));
  CHECK(rig.reason(Reason::upstream_closed) == 1);
}

TEST_CASE("a client that was half closed and is then reset ends the tunnel at once") {
  FakeWorker worker(switches_and([](FakeWorker::Call& call) {
    call.read_rest();
    CHECK(call.end() == Wire::End::closed);
    std::string byte;
    CHECK_FALSE(call.read_exactly(1, byte));
  }));
  Rig rig({{{worker.address()}}});
  Wire client = tunnel_to(rig);
  client.finish_writing();
  let_pass(Duration{50});
  client.reset();
  CHECK(ended(rig));
}

TEST_CASE("a WebSocket whose worker ends without a Close frame is a failure of the worker") {
  FakeWorker worker(switches_and([](FakeWorker::Call&) {}, kSwitchWebSocket));
  Rig rig({{{worker.address()}}});
  Wire client = tunnel_to(rig, "websocket");
  CHECK(client.read_rest().empty());
  client.finish_writing();
  CHECK(ended(rig));
  CHECK(rig.reason(Reason::upstream_closed) == 1);
  CHECK(rig.totals().errors == 0);
}

TEST_CASE("a side that does not read pauses the other, and no byte is lost or changed") {
  const std::string much = pattern(8 << 20);
  FakeWorker worker(switches_and([&](FakeWorker::Call& call) {
    CHECK(call.write(much));
    call.finish_writing();
    CHECK(call.read_rest() == much);
  }));
  Rig rig({{{worker.address()}}});
  Wire client = tunnel_to(rig, "chat/1", 4096);
  std::thread writer([&] {
    CHECK(client.write(much));
    client.finish_writing();
  });
  let_pass(Duration{50});
  CHECK(client.read_rest() == much);
  writer.join();
  CHECK(ended(rig));
  CHECK(rig.totals().bytes_in == much.size());
  CHECK(rig.totals().bytes_out == much.size());
}

TEST_CASE("an idle tunnel is ended, with a Close frame if it is a WebSocket") {
  Limits limits;
  limits.tunnel_idle = Duration{150};
  limits.request_timeout = limits.idle_timeout = Duration{20};  // do not count here
  std::string heard;
  FakeWorker worker(switches_and([&](FakeWorker::Call& call) { heard = call.read_rest(); }, kSwitchWebSocket));
  Rig rig({{{worker.address()}}, limits});
  Wire client = tunnel_to(rig, "websocket");
  for (int i = 0; i < 5; ++i) {
    let_pass(Duration{60});
    client.write(std::string("\x81\x01x", 3));
  }
  CHECK(rig.totals().requests == 0);
  CHECK(client.read_rest() == std::string("\x88\x02\x03\xe9", 4));
  CHECK(client.end() == Wire::End::closed);
  CHECK(ended(rig));
  worker.stop();
  CHECK(heard.size() == 15 + 8);
  CHECK(rig.reason(Reason::tunnel_idle) == 1);
}

TEST_CASE("the life of a tunnel does not count as response time") {
  FakeWorker worker(upgrades());
  Rig rig({{{worker.address()}}});
  {
    Wire client = tunnel_to(rig);
    let_pass(Duration{300});
    client.finish_writing();
    client.read_rest();
  }
  REQUIRE(ended(rig));
  CHECK(segment::sum(*rig.segment, 0, &segment::Row::duration).sum < 300'000);
}
