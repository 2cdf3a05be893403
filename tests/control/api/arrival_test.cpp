#include "control/api/arrival.hpp"

#include <doctest/doctest.h>

#include <string>

using namespace gray::control;

TEST_CASE("a request has arrived with its head, or with the body that its length announces") {
  CHECK(arrival_of_request("") == Arrival::part);
  CHECK(arrival_of_request("GET /v1/status HTTP/1.1\r\nHost: x\r\n") == Arrival::part);
  CHECK(arrival_of_request("GET /v1/status HTTP/1.1\r\nHost: x\r\n\r\n") == Arrival::whole);
  const std::string post = "POST /v1/shift HTTP/1.1\r\nContent-Type: x\r\ncontent-LENGTH:  3\r\n\r\n";
  CHECK(arrival_of_request(post) == Arrival::head);
  CHECK(arrival_of_request(post + "{ ") == Arrival::head);
  CHECK(arrival_of_request(post + "{ }") == Arrival::whole);
  CHECK(arrival_of_request(post + "{ }more") == Arrival::whole);
  CHECK(arrival_of_request("POST / HTTP/1.1\r\nContent-Length: many\r\n\r\n") == Arrival::whole);
  CHECK(arrival_of_request("POST / HTTP/1.1\r\nContent-Length:\r\n\r\n") == Arrival::whole);
  CHECK(arrival_of_request("\r\n\r\n") == Arrival::whole);
}

TEST_CASE("a body that must be read by the parser is slow") {
  for (const char* field : {"Transfer-Encoding: chunked", "Expect: 100-continue\r\nContent-Length: 3",
                            "Content-Length: 16384", "Content-Length: 99999999999999999999999"})
    CHECK(arrival_of_request("POST / HTTP/1.1\r\n" + std::string(field) + "\r\n\r\n") == Arrival::slow);
}

TEST_CASE("a server that reads no bodies waits for the head alone") {
  CHECK(arrival_of_head("GET /metrics HTTP/1.1\r\n") == Arrival::part);
  CHECK(arrival_of_head("POST /metrics HTTP/1.1\r\nContent-Length: 5\r\n\r\n") == Arrival::whole);
}
