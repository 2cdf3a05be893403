#include <doctest/doctest.h>

#include "router/wire/forwarding.hpp"
#include "tests/router/wire/feeding.hpp"

using namespace gray::http;

namespace {

std::string write(const LocalAnswer& answer, const Hop& hop = {}) {
  std::string out(kMaxLocalAnswer, '\0');
  out.resize(write_local_answer(answer, hop, out.data()));
  return out;
}

LocalAnswer full() {
  LocalAnswer answer;
  answer.status = 503;
  answer.reason = "queue-full";
  answer.detail = "256 requests are waiting for web@v1";
  answer.request_id = "id-1";
  answer.version = "v1";
  answer.decision = "stable";
  answer.retry_after = 2;
  return answer;
}

}  // namespace

TEST_CASE("A local answer is a whole response that says why") {
  CHECK(write(full()) ==
        "HTTP/1.1 503 Service Unavailable\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: 61\r\n"
        "X-Gray-Reason: queue-full\r\nX-Request-Id: id-1\r\nX-Gray-Version: v1\r\nX-Gray-Decision: stable\r\n"
        "Retry-After: 2\r\n\r\n503 Service Unavailable: 256 requests are waiting for web@v1\n");
}

TEST_CASE("Unknown members are left out") {
  LocalAnswer answer;
  answer.status = 404;
  const std::string out = write(answer);
  CHECK(out.ends_with("\r\n\r\n404 Not Found\n"));
  for (const char* name : {"X-Gray", "X-Request-Id", "Retry-After", "Connection"}) {
    CHECK(out.find(name) == std::string::npos);
  }
}

TEST_CASE("An answer to HEAD has the length of its body but not the body") {
  LocalAnswer answer = full();
  const std::string with_body = write(answer);
  answer.head_request = true;
  const std::string without = write(answer);
  CHECK(without == with_body.substr(0, with_body.find("\r\n\r\n") + 4));
}

TEST_CASE("An answer says whether the connection stays open") {
  LocalAnswer answer = full();
  Hop hop{.client = Version::http10, .keep_alive_10 = true};
  CHECK(write(answer, hop).find("\r\nConnection: keep-alive\r\n") != std::string::npos);
  SUBCASE("the request was not read completely") { answer.close = true; }
  SUBCASE("it is the last of its connection") { hop.close = true; }
  CHECK(write(answer, hop).find("\r\nConnection: close\r\n") != std::string::npos);
  CHECK(write(answer, hop).find("keep-alive") == std::string::npos);
}

TEST_CASE("Control bytes in any text become question marks") {
  LocalAnswer answer = full();
  answer.detail = std::string_view("a\r\nb\0c\x7f\t\xc3\xa9", 10);
  answer.request_id = "x\r\nSet-Cookie: y";
  const std::string out = write(answer);
  CHECK(out.ends_with(": a??b?c??\xc3\xa9\n"));
  CHECK(out.find("\r\nX-Request-Id: x??Set-Cookie: y\r\n") != std::string::npos);
}

TEST_CASE("Texts of any length fit, and the length says what was written") {
  const std::string huge(100000, 'x');
  LocalAnswer answer = full();
  answer.status = 431;  // the longest phrase
  answer.reason = answer.detail = answer.request_id = answer.version = answer.decision = huge;
  answer.retry_after = ~std::uint32_t{0};
  answer.close = true;
  const std::string out = write(answer);
  CHECK(out.size() <= kMaxLocalAnswer);
  const ResponseHead& head = good_response(out);
  CHECK(head.framing == Framing{Framing::Kind::length, out.size() - head.bytes.size()});
}

TEST_CASE("An answer as the last hop says what is allowed and has no body (P3)") {
  LocalAnswer answer;
  answer.status = 200;
  answer.allow = "GET, OPTIONS";
  answer.request_id = "id-1";
  CHECK(write(answer) == "HTTP/1.1 200 OK\r\nAllow: GET, OPTIONS\r\nContent-Length: 0\r\nX-Request-Id: id-1\r\n\r\n");
}
