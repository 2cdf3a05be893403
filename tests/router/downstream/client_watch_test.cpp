// Clients that are slow, and clients that only seem to be.
#include "router/downstream/client_watch.hpp"

#include <atomic>

#include "tests/router/process/rig.hpp"

using namespace gray;
using namespace gray::test;

namespace {

Limits with_rate(std::uint64_t bytes) {
  Limits limits;
  limits.min_rate = bytes;
  return limits;
}

}  // namespace

TEST_CASE("a body that arrives more slowly than min_rate is a 408, and the connection closes") {
  FakeWorker worker(echoes());
  Rig rig({{{worker.address()}}, with_rate(10'000)}, {.rate_window = Duration{1'500}});
  Wire slow = rig.dial(), mute = rig.dial(), quick = rig.dial();
  // At most 2,000 bytes/s beside 5 MB/s, or a tenth of it on a busy machine: both for longer than a window.
  const auto trickle = [&](Wire& wire, std::size_t piece, int pieces) {
    for (int i = 0; i < pieces && wire.write(std::string(piece, 'x')); ++i) let_pass(Duration{20});
  };
  for (Wire* wire : {&slow, &mute, &quick}) {
    wire->write("POST / HTTP/1.1\r\nHost: test\r\nContent-Length: 15000000\r\n\r\n");
  }
  std::thread slowly([&] { trickle(slow, 40, 200); }), quickly([&] { trickle(quick, 100'000, 150); });
  for (Wire* wire : {&slow, &mute}) {
    const Message answer = wire->read_answer();
    CHECK(answer.status() == 408);
    CHECK(answer.field("x-gray-reason") == "request-timeout");
    CHECK(answer.field("connection") == "close");
    CHECK(answer.body.find("min_rate") != std::string::npos);
    CHECK(wire->read_rest().empty());
  }
  CHECK(quick.read_answer().body.size() == 15'000'000);
  slowly.join();
  quickly.join();
  CHECK(rig.reason(segment::Reason::request_timeout) == 2);
}

TEST_CASE("a client that reads its answer more slowly than min_rate is cut off") {
  FakeWorker worker(says(std::string(8 << 20, 'x')));
  Rig rig({{{worker.address()}}, with_rate(10'000)}, {.rate_window = Duration{1'000}});
  Wire mute = rig.dial(0, 4'096), quick = rig.dial(0, 4'096);
  mute.write(Rig::request_for());
  quick.write(Rig::request_for());
  CHECK(quick.read_answer().complete);
  CHECK(eventually([&] { return rig.reason(segment::Reason::request_timeout) == 1; }));
  CHECK_FALSE(mute.read_answer().complete);
  CHECK(mute.end() == Wire::End::reset);
  CHECK(rig.totals().in_flight == 0);
}

TEST_CASE("with a min_rate of zero any progress is enough") {
  FakeWorker worker(echoes());
  Rig rig({{{worker.address()}}, with_rate(0)}, {.rate_window = Duration{1'500}});
  Wire slow = rig.dial(), mute = rig.dial();
  for (Wire* wire : {&slow, &mute}) wire->write("POST / HTTP/1.1\r\nHost: test\r\nContent-Length: 150\r\n\r\n");
  for (int i = 0; i < 150; ++i) {
    slow.write("x");
    let_pass(Duration{20});
  }
  CHECK(slow.read_answer().body.size() == 150);
  CHECK(mute.read_answer().status() == 408);
}

TEST_CASE("a slow worker, a stream of events and a long poll are not the client's fault") {
  FakeWorker worker([](FakeWorker::Call& call) {
    Message head;
    if (!call.read_head(head)) return;
    if (head.has("POST")) {  // takes the body slowly
      let_pass(Duration{3'000});
      call.write("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
      return;
    }
    if (head.has("/poll")) let_pass(Duration{2'500});
    call.write("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
    for (int i = 0; i < 6; ++i) {
      call.write("1\r\nx\r\n");
      let_pass(Duration{500});
    }
    call.write("0\r\n\r\n");
  });
  Rig rig({{{worker.address()}}, with_rate(1'000)}, {.rate_window = Duration{1'000}});
  Wire events = rig.dial(), poll = rig.dial(), upload = rig.dial();
  events.write(Rig::request_for("/events"));
  poll.write(Rig::request_for("/poll"));
  upload.write("POST / HTTP/1.1\r\nHost: test\r\nContent-Length: 33554432\r\n\r\n");
  std::thread sender([&] { upload.write(std::string(32 << 20, 'x')); });
  CHECK(events.read_answer().body == "xxxxxx");
  CHECK(poll.read_answer().body == "xxxxxx");
  CHECK(upload.read_answer().status() == 200);
  upload.close();
  sender.join();
}

TEST_CASE("a client is sampled once when the wait for it begins, and reset with its request") {
  proxy::ClientWatch watch;
  CHECK_FALSE(watch.on());
  CHECK(watch.begin());
  CHECK(watch.on());
  CHECK_FALSE(watch.begin());
  watch.sampled(false);
  CHECK_FALSE(watch.on());
  CHECK(watch.begin());
  watch.reset();
  CHECK_FALSE(watch.on());
}

TEST_CASE("the pace of a reader counts from the sample at which the wait began, that of an upload from its begin") {
  const TimePoint start{Duration{1'000'000}};
  const auto look = [&](proxy::ClientWatch& watch, int at_ms, std::uint64_t moved, std::size_t untaken) {
    return watch.sample({.now = start + Duration{at_ms},
                         .uploads = untaken == 0,
                         .moved = moved,
                         .unsent = untaken,
                         .untaken = untaken,
                         .min_rate = 1});
  };
  proxy::ClientWatch reader;
  reader.begin();
  CHECK_FALSE(look(reader, 0, 900'000, 300'000).pace.has_value());
  CHECK(look(reader, 250, 900'000, 300'000).pace == 0);
  CHECK(look(reader, 500, 900'000, 290'000).pace == 20'000);

  proxy::ClientWatch sender;
  sender.begin_upload(start, 16'384);
  CHECK(look(sender, 250, 16'384, 0).pace == 0);
  CHECK(look(sender, 500, 26'384, 0).pace == 20'000);
  sender.begin_upload(start + Duration{500}, 26'384);  // a worker takes the body from now on
  CHECK(look(sender, 750, 26'384, 0).pace == 0);
}
