// The routes and their answers, one connection at a time, without the threads of the server.
#include "control/api/admin_api.hpp"

#include <doctest/doctest.h>

#include <thread>

#include "control/verbs/verb_table.hpp"
#include "tests/control/fixture.hpp"

using namespace gray;
using namespace gray::control;
using nlohmann::json;

namespace {

struct Response {
  int status = 0;
  std::string head, body;
  json parsed() const { return json::parse(body, nullptr, false); }
};

/// Sends `request` to an API of its own over a socket pair.
Response ask(Daemon& daemon, const std::string& request) {
  int ends[2];
  REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) == 0);
  UniqueFd client(ends[0]);
  CutOff never;
  Seats seats(1);
  std::thread server([&] { AdminApi(daemon, never, seats).serve(UniqueFd(ends[1]).get()); });
  send_text(client.get(), request);
  std::string text = read_to_end(client.get());
  server.join();
  std::size_t gap = text.find("\r\n\r\n");
  if (gap == std::string::npos) return {};
  return {std::atoi(text.c_str() + 9), text.substr(0, gap), text.substr(gap + 4)};
}

std::string get(const std::string& target) { return "GET " + target + " HTTP/1.1\r\nHost: x\r\n\r\n"; }

std::string post(const std::string& target, const std::string& body) {
  return "POST " + target + " HTTP/1.1\r\nHost: x\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" +
         body;
}

void check_failure(const Response& response, int status, int exit_code, const std::string& part) {
  CAPTURE(response.body);
  CHECK(response.status == status);
  json body = response.parsed();
  REQUIRE(body.is_object());
  CHECK(body["schema_version"] == 1);
  CHECK(body["exit_code"] == exit_code);
  CHECK(contains(body["error"].get<std::string>(), part));
}

}  // namespace

TEST_CASE("a GET is a verb with its query as arguments, a POST one with its body") {
  FakeDaemon daemon;
  Response seen = ask(daemon, get("/v1/health?service=web&x=a%20b"));
  CHECK(seen.status == 200);
  CHECK(contains(seen.head, "application/json"));
  CHECK(contains(seen.head, "Connection: close"));
  CHECK(seen.parsed() == json{{"schema_version", 1}, {"verb", "health"}, {"args", {{"service", "web"}, {"x", "a b"}}}});
  seen = ask(daemon, post("/v1/shift", R"({"service":"web","percent":5.5})"));
  CHECK(seen.parsed()["verb"] == "shift");
  CHECK(seen.parsed()["args"] == json{{"service", "web"}, {"percent", 5.5}});
  CHECK(daemon.peer_pid == ::getpid());
}

TEST_CASE("every verb of the table that grayd answers is passed on, and no other") {
  FakeDaemon daemon;
  for (const VerbRow& row : verb_table()) {
    if (row.by != AnsweredBy::grayd) continue;
    const std::string path = "/v1/" + path_name_of(row.verb);
    CHECK(ask(daemon, post(path, "")).parsed()["verb"] == path_name_of(row.verb));
    CHECK(ask(daemon, get(path)).status == (row.changes ? 400 : 200));
  }
  const int calls = daemon.calls;
  for (const char* verb : {"anything", "rollout", "rollout-stat", "completion"}) {
    const std::string error = std::string("unknown verb \"") + verb + "\"; see grayctl --help";
    check_failure(ask(daemon, get(std::string("/v1/") + verb)), 400, 2, error);
    check_failure(ask(daemon, post(std::string("/v1/") + verb, "")), 400, 2, error);
  }
  CHECK(daemon.calls == calls);
}

TEST_CASE("a POST without a length has no body and is answered at once") {
  FakeDaemon daemon;
  Response seen = ask(daemon, "POST /v1/reload HTTP/1.1\r\nHost: x\r\n\r\n");
  CHECK(seen.status == 200);
  CHECK(seen.parsed()["args"] == json::object());
}

TEST_CASE("a body sent as curl -d sends it is read as JSON too") {
  FakeDaemon daemon;
  Response seen = ask(daemon,
                      "POST /v1/shift HTTP/1.1\r\nContent-Type: application/x-www-form-urlencoded\r\n"
                      "Content-Length: 11\r\n\r\n{\"a\":\"b&c\"}");
  CHECK(seen.parsed()["args"] == json{{"a", "b&c"}});
}

TEST_CASE("each exit code has its status, and a failure has a message") {
  FakeDaemon daemon;
  const std::pair<ExitCode, int> expected[] = {{ExitCode::failed, 500},   {ExitCode::usage, 400},
                                               {ExitCode::conflict, 409}, {ExitCode::denied, 403},
                                               {ExitCode::timeout, 504},  {ExitCode::bad_config, 422}};
  for (auto [code, status] : expected) {
    daemon.answer = [code = code](auto&&...) { return refused(code, "because of \xff this"); };
    check_failure(ask(daemon, get("/v1/status")), status, static_cast<int>(code), "because of");
  }
}

TEST_CASE("a verb that changes something is not a GET") {
  FakeDaemon daemon;
  check_failure(ask(daemon, get("/v1/shift?service=web")), 400, 2, "shift changes something; use POST /v1/shift");
  for (const char* verb : {"reload", "start", "stop", "restart", "drain"})
    check_failure(ask(daemon, get(std::string("/v1/") + verb)), 400, 2, "use POST");
  CHECK(daemon.calls == 0);
}

TEST_CASE("a body that is not a JSON object is refused") {
  FakeDaemon daemon;
  for (const char* body : {"{", "[1]", "5", "service=web"})
    check_failure(ask(daemon, post("/v1/shift", body)), 400, 2, "must be a JSON object");
  CHECK(daemon.calls == 0);
}

TEST_CASE("an unknown path is named") {
  FakeDaemon daemon;
  check_failure(ask(daemon, get("/v2/status")), 404, 2, "/v2/status");
  check_failure(ask(daemon, get("/v1/")), 404, 2, "verbs are under /v1/");
}

TEST_CASE("bytes that are not HTTP get 400, and a connection without bytes gets no answer") {
  FakeDaemon daemon;
  check_failure(ask(daemon, "\x16\x03\x01 garbage\r\n\r\n"), 400, 2, "could not be read");
  check_failure(ask(daemon, "GET\r\n\r\n"), 400, 2, "could not be read");
  int ends[2];
  REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) == 0);
  ::close(ends[0]);
  CutOff never;
  Seats seats(1);
  CHECK_NOTHROW(AdminApi(daemon, never, seats).serve(UniqueFd(ends[1]).get()));
}

TEST_CASE("a body above 1 MiB is refused, by length and in chunks") {
  FakeDaemon daemon;
  check_failure(ask(daemon, "POST /v1/shift HTTP/1.1\r\nContent-Length: 1048577\r\n\r\n"), 413, 2, "1 MiB");
  std::string chunked = "POST /v1/shift HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n";
  for (int i = 0; i < 300; ++i) chunked += "1000\r\n" + std::string(4096, ' ') + "\r\n";
  Response seen = ask(daemon, chunked + "0\r\n\r\n");
  CHECK(seen.status != 200);
  CHECK(daemon.calls == 0);
}

TEST_CASE("the wait for the daemon is bounded, and a late reply has no effect") {
  FakeDaemon daemon;
  FakeDaemon::Done late;
  daemon.take = [&](FakeDaemon::Done done) { late = std::move(done); };
  check_failure(ask(daemon, get("/v1/status?timeout_ms=60")), 504, 5, "status got no answer within 60 ms");
  late({});
  check_failure(ask(daemon, post("/v1/shift", R"({"timeout_ms":1})")), 504, 5, "shift got no answer within 1 ms");
}

TEST_CASE("a timeout out of range is refused") {
  FakeDaemon daemon;
  for (const char* timeout : {"0", "-1", "120001", "1.5", "soon", ""})
    check_failure(ask(daemon, get(std::string("/v1/status?timeout_ms=") + timeout)), 400, 2,
                  "timeout_ms must be a whole number from 1 to 120000");
  CHECK(ask(daemon, get("/v1/status?timeout_ms=120000")).status == 200);
}

TEST_CASE("a call ends when its caller disconnects") {
  FakeDaemon daemon;
  daemon.take = [kept = std::vector<FakeDaemon::Done>()](FakeDaemon::Done done) mutable { kept.push_back(done); };
  int ends[2];
  REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) == 0);
  UniqueFd client(ends[0]);
  send_text(client.get(), get("/v1/status?timeout_ms=120000"));
  client.reset();
  CutOff never;
  Seats seats(1);
  const TimePoint begin = Clock::now();
  AdminApi(daemon, never, seats).serve(UniqueFd(ends[1]).get());
  CHECK(Clock::now() - begin < Duration(10'000));
}

TEST_CASE("a call that the daemon throws on or drops gets an answer") {
  FakeDaemon daemon;
  daemon.answer = [](auto&&...) -> Reply { throw std::runtime_error("out of luck"); };
  check_failure(ask(daemon, get("/v1/status")), 500, 1, "/v1/status failed inside grayd: out of luck");
  daemon.answer = [](auto&&...) -> Reply { throw 1; };
  check_failure(ask(daemon, get("/v1/status")), 500, 1, "/v1/status failed inside grayd");
  daemon.take = [](FakeDaemon::Done) {};
  check_failure(ask(daemon, get("/v1/status")), 500, 1, "Broken promise");
}

TEST_CASE("metrics are text, and a failure has its status") {
  FakeDaemon daemon;
  daemon.answer = [](const std::string& verb, const json&) {
    return Reply{.code = ExitCode::ok, .body = {{"text", verb + "_total 1\n"}}, .error = {}};
  };
  Response seen = ask(daemon, get("/metrics"));
  CHECK(seen.body == "metrics_total 1\n");
  CHECK(contains(seen.head, "text/plain; version=0.0.4"));
  daemon.answer = [](auto&&...) { return refused(ExitCode::failed, "no router"); };
  check_failure(ask(daemon, get("/metrics")), 500, 1, "no router");
}

TEST_CASE("healthz answers without the daemon") {
  FakeDaemon daemon;
  CHECK(ask(daemon, get("/healthz")).body == "ok");
  CHECK(daemon.calls == 0);
}

TEST_CASE("callers that wait need a seat, and the others do not") {
  FakeDaemon daemon;
  CutOff never;
  Seats seats(1);
  const auto ask_with = [&](const std::string& request) {
    int ends[2];
    REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) == 0);
    UniqueFd client(ends[0]);
    send_text(client.get(), request);
    AdminApi(daemon, never, seats).serve(UniqueFd(ends[1]).get());
    return read_to_end(client.get());
  };
  CHECK(contains(ask_with(get("/v1/events?wait_ms=1")), "200 OK"));
  {
    const Seats::Taken taken(seats);
    CHECK(taken);
    CHECK(contains(ask_with(get("/v1/events?wait_ms=1")), "events: too many callers use -f already"));
    CHECK(contains(ask_with(get("/v1/events")), "200 OK"));
  }
  CHECK(contains(ask_with(get("/v1/events?wait_ms=1")), "200 OK"));
}
