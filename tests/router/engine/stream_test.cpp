#include "router/engine/stream.hpp"

#include <doctest/doctest.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include <cerrno>
#include <set>
#include <utility>
#include <vector>

#include "config/base/unique_fd.hpp"

using namespace gray;
using namespace gray::engine;

TEST_CASE("an id names a stream until it is given back, and never the next one in its place") {
  StreamTable table;
  Stream& first = *table.take();
  first.phase = Stream::Phase::open;
  const StreamId id = first.id();
  CHECK(table.find(id) == &first);
  table.give_back(first);
  CHECK(table.find(id) == nullptr);
  Stream& second = *table.take();
  second.phase = Stream::Phase::open;
  CHECK(&second == &first);
  CHECK(second.id() != id);
  CHECK(table.find(id) == nullptr);
  CHECK(table.open() == 1);
  CHECK(table.find({}) == nullptr);
}

TEST_CASE("a write that fails is counted once for a stream") {
  std::atomic<std::uint64_t> errors{0};
  StreamTable table;
  Stream& stream = *table.take();
  stream.fail(EPIPE);
  CHECK(errors == 0);
  stream.error = 0;
  stream.write_errors = &errors;
  stream.fail(EPIPE);
  stream.fail(ECONNRESET);
  CHECK(errors == 1);
  CHECK(stream.error == ECONNRESET);
  CHECK(stream.readable);
  table.give_back(stream);
  CHECK(table.take()->write_errors == nullptr);
}

TEST_CASE("untaken bytes are the tail and what the kernel still holds") {
  int fds[2];
  REQUIRE(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) == 0);
  const UniqueFd ours(fds[0]), theirs(fds[1]);
  BufferPool buffers(1 << 20);
  StreamTable table;
  Stream& stream = *table.take();
  CHECK(stream.untaken() == 0);  // no socket yet
  stream.fd = ours.get();
  REQUIRE(stream.tail.append("tail", buffers, 0));
  CHECK(stream.untaken() == 4);
  REQUIRE(::send(ours.get(), "bytes", 5, 0) == 5);
  CHECK(stream.untaken() > 4);  // a unix socket counts its packets' own size, too
  char bytes[8];
  REQUIRE(::recv(theirs.get(), bytes, sizeof bytes, 0) == 5);
  CHECK(stream.untaken() == 4);
}

TEST_CASE("what epoll reports of a stream is kept until it is handled") {
  StreamTable table;
  Stream& stream = *table.take();
  stream.note(EPOLLOUT);
  CHECK_FALSE(stream.readable);
  stream.note(EPOLLIN);
  CHECK(stream.readable);
  CHECK_FALSE(stream.peer_closed);
  stream.note(EPOLLRDHUP);
  CHECK(stream.peer_closed);
  CHECK_FALSE(stream.peer_reset);
  stream.note(EPOLLERR);
  CHECK(stream.peer_reset);
}

TEST_CASE("a stream that is reused starts with no state") {
  BufferPool buffers(1 << 20);
  StreamTable table;
  Stream& stream = *table.take();
  stream.pauses = 7;
  stream.error = 5;
  stream.reported_end = stream.peer_closed = stream.above_high = stream.queued = true;
  stream.window.sent(kMinRead, kMinRead);
  REQUIRE(stream.tail.append("abc", buffers, 1));
  table.give_back(stream);
  const Stream& again = *table.take();
  CHECK(again.pauses == 0);
  CHECK(again.error == 0);
  CHECK_FALSE(again.reported_end);
  CHECK_FALSE(again.peer_closed);
  CHECK_FALSE(again.above_high);
  CHECK_FALSE(again.queued);
  CHECK(again.window.size() == kMinRead);
  CHECK(again.tail.empty());
  CHECK(buffers.outstanding() == 0);
}

TEST_CASE("after a peak unused streams are freed by halves, and their ids stay invalid") {
  StreamTable table;
  std::vector<Stream*> peak;
  std::vector<StreamId> ids;
  for (int i = 0; i < 300; ++i) {
    peak.push_back(table.take());
    peak.back()->phase = Stream::Phase::open;
    ids.push_back(peak.back()->id());
  }
  for (int i = 100; i < 300; ++i) table.give_back(*peak[i]);
  CHECK(table.trim() == 0);                    // 300 were open since the last time
  CHECK(table.has_surplus());                  // so it is to be repeated
  CHECK(table.trim() == 56 * sizeof(Stream));  // 300 are there, 100 open: 189 are wanted
  for (int i = 0; i < 100; ++i) table.give_back(*peak[i]);
  int trims = 0;
  while (table.has_surplus()) {
    table.trim();
    REQUIRE(++trims < 20);
  }
  CHECK(table.spare() == StreamTable::kSpare);
  CHECK(table.open() == 0);
  std::set<std::pair<std::uint32_t, std::uint32_t>> seen;
  for (const StreamId id : ids) seen.emplace(id.index, id.generation);
  for (int i = 0; i < 300; ++i) {
    Stream& stream = *table.take();
    stream.phase = Stream::Phase::open;
    CHECK(table.find(stream.id()) == &stream);
    CHECK(seen.emplace(stream.id().index, stream.id().generation).second);
  }
  for (const StreamId id : ids) CHECK(table.find(id) == nullptr);
  int visited = 0;
  table.for_each([&](const Stream&) { ++visited; });
  CHECK(visited == 300);
}
