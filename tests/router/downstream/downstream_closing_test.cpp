// What a client sees at the end of a request and of its connection. More of it: downstream_test.cpp.
#include <doctest/doctest.h>

#include "tests/router/process/rig.hpp"

using namespace gray;
using namespace gray::test;

namespace {

void answer_until_gone(FakeWorker::Call& call) {
  while (call.next()) call.write(kOk);
}

}  // namespace

TEST_CASE("a connection that the client wants to close ends with FIN behind the answer") {
  FakeWorker worker(answer_until_gone);
  Rig rig({.versions = {{worker.address()}}});
  Wire client = rig.dial();
  client.write("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
  CHECK(client.read_answer().status() == 200);
  CHECK(client.read_rest().empty());
  CHECK(client.end() == Wire::End::closed);
}

TEST_CASE("a client that is still sending when it is refused can read why") {
  FakeWorker worker(answer_until_gone);
  Rig rig({.versions = {{worker.address()}}});
  Wire client = rig.dial();
  client.write("GET / HTTP/9.9\r\nHost: a\r\n\r\n" + std::string(100'000, 'x'));
  CHECK(client.read_answer().status() == 505);
  client.read_rest();
  CHECK(client.end() == Wire::End::closed);
}
