#include "router/h2/stream.hpp"

#include <doctest/doctest.h>

#include <vector>

using namespace gray::h2;

TEST_CASE("A pool gives a stream back as new") {
  StreamPool pool;
  Stream* first = pool.take();
  first->id = 7;
  first->send.take(1000);
  first->request = Stream::Half::reset;
  pool.give(first);
  CHECK(pool.kept() == 1);
  Stream* again = pool.take();
  CHECK(again == first);
  CHECK(again->id == 0);
  CHECK(again->send.room() == 65535);
  CHECK(again->request == Stream::Half::open);
  CHECK(pool.kept() == 0);
  pool.give(again);
}

TEST_CASE("A pool keeps a bounded number of streams") {
  StreamPool pool;
  std::vector<Stream*> streams;
  for (int i = 0; i < 1100; ++i) streams.push_back(pool.take());
  for (Stream* stream : streams) pool.give(stream);
  CHECK(pool.kept() == 1024);
}
