// HTTP/2 connections through a whole thread: frames of a client in, answers of fake workers out.
#include <doctest/doctest.h>

#include "tests/router/downstream/http2_client.hpp"

using namespace gray;
using namespace gray::test;

TEST_CASE("requests of one connection are answered, each on its stream") {
  FakeWorker worker(answer_every_request);
  Rig rig(one_version(worker), with_h2c());
  Http2Client client(rig.dial());
  for (std::uint32_t stream = 1; stream < 40; stream += 2) client.request(stream, "/");
  for (std::uint32_t stream = 1; stream < 40; stream += 2) {
    REQUIRE(client.until_end(stream));
    CHECK(client.streams[stream].body == "ok");
    CHECK(client.streams[stream].head.find(":status: 200\r\n") != std::string::npos);
  }
  CHECK(worker.requests() == 20);
}

TEST_CASE("a preface in pieces is understood, and HTTP/1 on the same port still works") {
  FakeWorker worker(answer_every_request);
  Rig rig(one_version(worker), with_h2c());
  Http2Client client(rig.dial(), 1);
  client.request(1, "/");
  CHECK(client.until_end(1));
  Wire plain = rig.dial();
  plain.write("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n");
  CHECK(plain.read_answer().status() == 200);
}

TEST_CASE("without h2c the preface is not HTTP") {
  FakeWorker worker(answer_every_request);
  Rig rig(one_version(worker));
  Wire wire = rig.dial();
  wire.write(h2::kPreface);
  CHECK(wire.read_answer().status() >= 400);
}

TEST_CASE("a body reaches the worker, and a reset ends the request there") {
  std::atomic<int> ended{0};
  FakeWorker worker([&](FakeWorker::Call& call) {
    while (call.next()) {
      if (call.request.head.starts_with("GET /hang")) {
        call.read_rest();
        ++ended;
        return;
      }
      call.write("HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(call.request.body.size()) + "\r\n\r\n" +
                 call.request.body);
    }
  });
  Rig rig(one_version(worker), with_h2c());
  Http2Client client(rig.dial());
  client.request(1, "/echo", {.method = "POST", .ends = false});
  client.data(1, "hello ", false);
  client.data(1, "world", true);
  REQUIRE(client.until_end(1));
  CHECK(client.streams[1].body == "hello world");
  client.request(3, "/hang");
  REQUIRE(eventually([&] { return worker.requests() == 1 && worker.connections() >= 1; }));
  client.reset(3);
  CHECK(eventually([&] { return ended == 1; }));
  client.request(5, "/echo");
  CHECK(client.until_end(5));
}

TEST_CASE("an answer waits for the window of its stream, and others go on") {
  const std::string large(300'000, 'x');
  FakeWorker worker([&](FakeWorker::Call& call) {
    while (call.next()) {
      const bool is_large = call.request.head.starts_with("GET /large");
      const std::string body = is_large ? large : "ok";
      call.write("HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body);
    }
  });
  Rig rig(one_version(worker), with_h2c());
  Http2Client client(rig.dial());
  client.request(1, "/large");
  REQUIRE(client.until([&] { return client.streams[1].body.size() == 65'535; }));
  client.window(0, 1 << 20);
  for (std::uint32_t stream = 3; stream < 60; stream += 2) {
    client.request(stream, "/small");
    REQUIRE(client.until_end(stream));
  }
  CHECK_FALSE(client.streams[1].ended);
  for (int i = 0; i < 300'000; i += 10'000) client.window(1, 10'000);
  REQUIRE(client.until_end(1));
  CHECK(client.streams[1].body == large);
}

TEST_CASE("a drain tells the client, serves what has begun, and closes") {
  Gate release;
  FakeWorker worker([&](FakeWorker::Call& call) {
    while (call.next()) {
      release.wait();
      call.write(kOk);
    }
  });
  Rig rig(one_version(worker), with_h2c());
  Http2Client client(rig.dial());
  client.request(1, "/");
  REQUIRE(eventually([&] { return worker.requests() == 1; }));
  rig.on([](proxy::Shard& shard) { shard.drain(Duration{8'000}, false); });
  REQUIRE(client.until([&] { return client.goaways > 0; }));
  release.open();
  REQUIRE(client.until_end(1));
  CHECK(client.streams[1].body == "ok");
  CHECK(client.until_closed());
  CHECK(client.last_goaway_stream == 1);
  CHECK(eventually([&] { return rig.drained_shards() == 1; }));
}

TEST_CASE("a broken rule ends the connection with its code") {
  FakeWorker worker(answer_every_request);
  Rig rig(one_version(worker), with_h2c());
  Http2Client client(rig.dial());
  client.data(1, "x", false);  // of a stream that is idle
  REQUIRE(client.until_closed());
  CHECK(client.goaway_code == h2::ErrorCode::protocol_error);
}

TEST_CASE("a request without a service, and one that is not valid, get an answer") {
  Rig rig({.versions = {}}, with_h2c());
  Http2Client client(rig.dial());
  client.request(1, "/");
  REQUIRE(client.until_end(1));
  CHECK(client.streams[1].head.find(":status: 404\r\n") != std::string::npos);
  CHECK(client.streams[1].head.find("x-gray-reason: no-route\r\n") != std::string::npos);
}
