#include "control/api/fd_stream.hpp"

#include <doctest/doctest.h>

#include <thread>

#include "tests/control/fixture.hpp"

using namespace gray;
using namespace gray::control;

namespace {

struct Pair {
  Pair() {
    int ends[2];
    REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) == 0);
    ours.reset(ends[0]);
    theirs.reset(ends[1]);
  }
  UniqueFd ours, theirs;
  CutOff cut_off;
};

}  // namespace

TEST_CASE("bytes are read in pieces of any size, then the end") {
  Pair pair;
  FdStream stream(pair.ours.get(), pair.cut_off);
  send_text(pair.theirs.get(), "hello");
  char bytes[8] = {};
  CHECK(stream.read(bytes, 2) == 2);
  CHECK(stream.is_readable());
  CHECK(stream.read(bytes + 2, 6) == 3);
  CHECK(std::string(bytes) == "hello");
  pair.theirs.reset();
  CHECK(stream.read(bytes, 1) == 0);
}

TEST_CASE("bytes that were read already come first, and count") {
  Pair pair;
  FdStream stream(pair.ours.get(), pair.cut_off, {.request_bytes = 5}, "hel");
  send_text(pair.theirs.get(), "lo");
  char bytes[8] = {};
  CHECK(stream.is_readable());
  CHECK(stream.read(bytes, 8) == 3);
  CHECK_FALSE(stream.full());
  CHECK(stream.read(bytes + 3, 5) == 2);
  CHECK(std::string(bytes) == "hello");
  CHECK(stream.full());
}

TEST_CASE("a peer that closes is gone, one that only stops sending is not") {
  Pair pair;
  FdStream stream(pair.ours.get(), pair.cut_off);
  CHECK_FALSE(stream.peer_gone());
  ::shutdown(pair.theirs.get(), SHUT_WR);
  CHECK_FALSE(stream.peer_gone());
  pair.theirs.reset();
  CHECK(stream.peer_gone());
  CHECK(stream.write("x", 1) == -1);
}

TEST_CASE("no more than the largest request is read") {
  Pair pair;
  FdStream stream(pair.ours.get(), pair.cut_off);
  std::thread sender([&] { send_text(pair.theirs.get(), std::string(2 << 20, 'x')); });
  std::string chunk(8192, ' ');
  std::size_t taken = 0;
  ssize_t n;
  while ((n = stream.read(chunk.data(), chunk.size())) > 0) taken += static_cast<std::size_t>(n);
  CHECK(n == -1);
  CHECK(taken >= FdStream::kRequestBytes);
  CHECK(taken < FdStream::kRequestBytes + 4096);
  ::shutdown(pair.theirs.get(), SHUT_RDWR);  // ends the sender
  sender.join();
}

TEST_CASE("a write larger than the buffer of the socket is sent completely") {
  Pair pair;
  FdStream stream(pair.ours.get(), pair.cut_off);
  std::string received;
  std::thread reader([&] {
    char chunk[4096];
    while (received.size() < (4 << 20)) {
      ssize_t n = ::recv(pair.theirs.get(), chunk, sizeof chunk, 0);
      if (n <= 0) return;
      received.append(chunk, static_cast<std::size_t>(n));
    }
  });
  const std::string sent(4 << 20, 'y');
  CHECK(stream.write(sent.data(), sent.size()) == static_cast<ssize_t>(sent.size()));
  reader.join();
  CHECK(received == sent);
}

TEST_CASE("a unix socket has no IP address") {
  Pair pair;
  FdStream stream(pair.ours.get(), pair.cut_off);
  std::string ip = "x";
  int port = 1;
  stream.get_remote_ip_and_port(ip, port);
  CHECK(ip.empty());
  CHECK(port == 0);
  CHECK(stream.is_writable());
}

TEST_CASE("with a smaller limit for a request, no more bytes are read from the socket") {
  Pair pair;
  FdStream stream(pair.ours.get(), pair.cut_off, {.request_bytes = 3});
  send_text(pair.theirs.get(), "hello");
  char bytes[8] = {};
  CHECK_FALSE(stream.full());
  CHECK(stream.read(bytes, 8) == 3);
  CHECK(stream.full());
  CHECK(stream.read(bytes, 1) == -1);
  CHECK(::recv(pair.ours.get(), bytes, 8, MSG_DONTWAIT) == 2);
}

TEST_CASE("after the end of the connection it does not read, write or wait") {
  Pair pair;
  FdStream stream(pair.ours.get(), pair.cut_off, {.end = Clock::now()});
  send_text(pair.theirs.get(), "x");
  char byte = 0;
  CHECK(stream.read(&byte, 1) == -1);
  CHECK(stream.write("x", 1) == -1);
  CHECK_FALSE(stream.wait_for(pair.ours.get(), TimePoint::max()));
}

TEST_CASE("after the cut-off it does not read, and writes only as much as the socket takes immediately") {
  Pair pair;
  FdStream stream(pair.ours.get(), pair.cut_off);
  send_text(pair.theirs.get(), "x");
  pair.cut_off.set(Clock::now());
  char byte = 0;
  CHECK(stream.read(&byte, 1) == -1);
  CHECK(stream.write("grayd is stopping", 17) == 17);
  const std::string large(8 << 20, 'y');
  CHECK(stream.write(large.data(), large.size()) == -1);
}

TEST_CASE("a wait ends by its event, when the peer closes, and at its time") {
  Pair pair, event;
  FdStream stream(pair.ours.get(), pair.cut_off);
  CHECK_FALSE(stream.wait_for(event.ours.get(), Clock::now() + Duration(1)));
  send_text(event.theirs.get(), "x");
  CHECK(stream.wait_for(event.ours.get(), TimePoint::max()));
  char byte = 0;
  REQUIRE(::recv(event.ours.get(), &byte, 1, 0) == 1);
  pair.theirs.reset();
  CHECK(stream.wait_for(event.ours.get(), TimePoint::max()));
}
