#include "router/proxy/replay_body.hpp"

#include <doctest/doctest.h>

#include <string>

#include "router/policy/retry.hpp"

using namespace gray;
using namespace gray::proxy;

TEST_CASE("a small body is kept whole, in pieces") {
  engine::BufferPool buffers(1 << 20);
  ReplayBody body(buffers);
  body.begin();
  body.keep("he", 1);
  body.keep("llo", 1);
  CHECK(body.whole());
  CHECK(body.view() == "hello");
  body.drop();
  CHECK(body.view().empty());
  CHECK(buffers.outstanding() == 0);
}

TEST_CASE("a body that is too large is not kept at all, until the next request") {
  engine::BufferPool buffers(1 << 20);
  ReplayBody body(buffers);
  body.keep(std::string(policy::kReplayBytes, 'x'), 1);
  CHECK(body.whole());
  body.keep("y", 1);
  CHECK_FALSE(body.whole());
  CHECK(body.view().empty());
  body.keep("z", 1);
  CHECK(body.view().empty());
  body.begin();
  body.keep("a", 1);
  CHECK(body.view() == "a");
}

TEST_CASE("without memory a body is not kept") {
  engine::BufferPool none(0);
  ReplayBody body(none);
  body.keep("a", 1);
  CHECK_FALSE(body.whole());
}
