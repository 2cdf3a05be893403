// When a client connection leaves HTTP, and when it does not.
#include "router/downstream/downstream.hpp"
#include "tests/router/process/upgrades.hpp"

using namespace gray;
using namespace gray::test;

TEST_CASE("bytes behind the request and behind the 101 go first, in their order (P24)") {
  FakeWorker worker(upgrades(std::string(kSwitch) + "hello "));
  Rig rig({{{worker.address()}}});
  Wire client = rig.dial();
  client.write(ask_for("chat/1") + "GET / HTTP/1.1\r\n\r\n");
  CHECK(client.read_answer().status() == 101);
  client.write("tail");
  client.finish_writing();
  CHECK(client.read_rest() == "hello GET / HTTP/1.1\r\n\r\ntail");
  CHECK(worker.requests() == 1);
}

TEST_CASE("after any other answer the connection stays HTTP: pipelined bytes are a request (P24)") {
  for (const char* answer : {"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nUpgrade: chat/1\r\nConnection: Upgrade\r\n\r\nok",
                             "HTTP/1.1 404 Not Found\r\nContent-Length: 2\r\n\r\nno",
                             "HTTP/1.1 426 Upgrade Required\r\nUpgrade: chat/1\r\nContent-Length: 2\r\n\r\n42"}) {
    CAPTURE(answer);
    FakeWorker worker(upgrades(answer));
    Rig rig({{{worker.address()}}});
    Wire client = rig.dial();
    client.write(ask_for("chat/1") + Rig::request_for("/second"));
    const Message first = client.read_answer(), second = client.read_answer();
    CHECK(first.body.size() == 2);
    CHECK(first.field("upgrade") == (first.status() == 426 ? "chat/1" : ""));  // a demand, not a switch
    CHECK(second.body == first.body);
    CHECK(worker.requests() == 2);
    CHECK(worker.connections() == 1);
    CHECK(worker.seen().at(1).has("GET /second "));
    CHECK(rig.tunnels(0) == 0);
  }
}

TEST_CASE("a connection that was upgraded never serves requests again (P24)") {
  FakeWorker worker(upgrades());
  Rig rig({{{worker.address()}}});
  Wire client = tunnel_to(rig);
  CHECK(echo(client, Rig::request_for("/hidden")) == Rig::request_for("/hidden"));
  client.finish_writing();
  client.read_rest();
  CHECK(client.end() == Wire::End::closed);
  CHECK(eventually([&] { return rig.closed_clients() == 1; }));
  CHECK(worker.requests() == 1);
}
