// One request of an HTTP/2 connection: its body, its answer, its end.
#include "tests/router/downstream/http2_client.hpp"

using namespace gray;
using namespace gray::test;

TEST_CASE("a body waits for its worker, and a body that is too large is answered early") {
  FakeWorker worker(answer_every_request);
  Plan plan = one_version(worker);
  plan.limits.body = 10'000;
  Rig rig(plan, with_h2c());
  Http2Client client(rig.dial());
  client.request(1, "/", {.method = "POST", .ends = false});
  client.data(1, std::string(10'000, 'x'), true);
  REQUIRE(client.until_end(1));
  CHECK(client.streams[1].head.find(":status: 200\r\n") != std::string::npos);
  client.request(3, "/", {.method = "POST", .ends = false});
  client.data(3, std::string(10'001, 'x'), false);
  REQUIRE(client.until_end(3));
  CHECK(client.streams[3].head.find(":status: 413\r\n") != std::string::npos);
  REQUIRE(client.until([&] { return client.streams[3].reset.has_value(); }));
  CHECK(client.streams[3].reset == h2::ErrorCode::no_error);
}

TEST_CASE("trailers follow an answer in chunks") {
  FakeWorker worker([](FakeWorker::Call& call) {
    while (call.next())
      call.write("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\nx-sum: 1\r\n\r\n");
  });
  Rig rig(one_version(worker), with_h2c());
  Http2Client client(rig.dial());
  client.request(1, "/", {.more = Http2Client::field("te", "trailers")});
  REQUIRE(client.until_end(1));
  CHECK(client.streams[1].body == "ok");
  CHECK(client.streams[1].head.find("x-sum: 1\r\n") != std::string::npos);
}

TEST_CASE("an answer that breaks off does not look complete") {
  FakeWorker worker([](FakeWorker::Call& call) {
    call.next();
    call.write("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf");
  });
  Rig rig(one_version(worker), with_h2c());
  Http2Client client(rig.dial());
  client.request(1, "/");
  REQUIRE(client.until([&] { return client.streams[1].reset.has_value(); }));
  CHECK_FALSE(client.streams[1].ended);
  CHECK(client.streams[1].reset == h2::ErrorCode::internal_error);
}

TEST_CASE("answers without a body end with their head") {
  FakeWorker worker([](FakeWorker::Call& call) {
    while (call.next()) {
      const bool head = call.request.head.starts_with("HEAD");
      call.write(head ? "HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\n" : "HTTP/1.1 204 No Content\r\n\r\n");
    }
  });
  Rig rig(one_version(worker), with_h2c());
  Http2Client client(rig.dial());
  client.request(1, "/", {.method = "HEAD"});
  client.request(3, "/");
  REQUIRE(client.until_end(1));
  REQUIRE(client.until_end(3));
  CHECK(client.streams[1].body.empty());
  CHECK(client.streams[1].head.find("content-length: 7\r\n") != std::string::npos);
  CHECK(client.streams[3].head.find(":status: 204\r\n") != std::string::npos);
}

TEST_CASE("a client that does not take the rest of its answer loses that stream only") {
  const std::string large(200'000, 'x');
  FakeWorker worker([&](FakeWorker::Call& call) {
    while (call.next()) {
      const std::string body = call.request.head.starts_with("GET /large") ? large : "ok";
      call.write("HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body);
    }
  });
  Plan plan = one_version(worker);
  plan.limits.min_rate = 1 << 20;
  RigOptions options = with_h2c();
  options.rate_window = Duration{480};
  Rig rig(plan, options);
  Http2Client client(rig.dial());
  client.window(0, 1 << 20);
  client.request(1, "/large");
  REQUIRE(client.until([&] { return client.streams[1].reset.has_value(); }));
  CHECK(client.streams[1].body.size() == 65'535);
  CHECK_FALSE(client.streams[1].ended);
  client.request(3, "/");
  CHECK(client.until_end(3));
}

TEST_CASE("a body that is longer than what is gathered reaches the worker whole, in frames of any size") {
  FakeWorker worker([](FakeWorker::Call& call) {
    while (call.next()) {
      const std::string size = std::to_string(call.request.body.size());
      call.write("HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(size.size()) + "\r\n\r\n" + size);
    }
  });
  Rig rig(one_version(worker), with_h2c());
  Http2Client client(rig.dial());
  std::uint32_t stream = 1;
  client.request(stream, "/");  // so that an idle socket is there
  REQUIRE(client.until_end(stream));
  for (const std::size_t frame : {1'000, 10'000, 16'000, 16'384}) {
    for (const std::size_t frames : {1, 2, 3}) {
      CAPTURE(frame);
      CAPTURE(frames);
      stream += 2;
      client.request(stream, "/", {.method = "POST", .ends = false});
      for (std::size_t i = 1; i <= frames; ++i) client.data(stream, std::string(frame, 'x'), i == frames);
      REQUIRE(client.until_end(stream));
      CHECK(client.streams[stream].body == std::to_string(frame * frames));
    }
  }
}

TEST_CASE("a worker that hangs is noticed while another stream of the connection is busy") {
  const std::string large(4 << 20, 'x');
  FakeWorker worker([&](FakeWorker::Call& call) {
    while (call.next()) {
      if (call.request.head.starts_with("GET /hang")) return void(call.read_rest());
      call.write("HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(large.size()) + "\r\n\r\n" + large);
    }
  });
  Plan plan = one_version(worker);
  plan.limits.request_timeout = Duration{300};
  plan.limits.idle_timeout = Duration{60'000};
  RigOptions options = with_h2c();
  options.send_buffer = 4'096;
  Rig rig(plan, options);
  Http2Client client(rig.dial(0, 4'096));
  client.window(0, 8 << 20);
  client.request(1, "/hang");
  client.request(3, "/large");
  client.window(3, 8 << 20);
  REQUIRE(client.until_end(1));
  CHECK(client.streams[1].head.find(":status: 504\r\n") != std::string::npos);
}
