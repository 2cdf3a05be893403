// The routes and their answers, one connection at a time, without the threads of the server.
#include "control/dashboard/dashboard_api.hpp"

#include <doctest/doctest.h>

#include <thread>

#include "control/verbs/verb_table.hpp"
#include "tests/control/explain/log_lines.hpp"
#include "tests/control/fixture.hpp"

using namespace gray;
using namespace gray::control;
using nlohmann::json;

namespace {

struct PageAnswer {
  int status = 0;
  std::string head, body;
  json parsed() const { return json::parse(body, nullptr, false); }
};

struct DashboardFixture {
  FakeDaemon daemon;
  bool writable = true;
  LiveFeed feed{daemon, true};
  LogSearches searches;
  PageFiles page{"<!doctype html>placeholder", "\x1f\x8bplaceholder", "default-src 'none'; script-src 'sha256-x'"};

  PageAnswer ask(const std::string& request) {
    int ends[2];
    REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) == 0);
    UniqueFd client(ends[0]);
    CutOff never;
    Seats seats(1);
    std::thread server([&] {
      const UniqueFd end(ends[1]);
      FdStream stream(end.get(), never, {.request_bytes = DashboardApi::kRequestBytes});
      DashboardApi({daemon, feed, seats, searches, page, writable}, never, stream, "127.0.0.9").serve(end.get());
    });
    send_text(client.get(), request);
    const std::string text = read_to_end(client.get());
    server.join();
    const auto gap = text.find("\r\n\r\n");
    if (gap == std::string::npos) return {};
    return {std::atoi(text.c_str() + 9), text.substr(0, gap + 2), text.substr(gap + 4)};
  }
  PageAnswer get(const std::string& path, const std::string& fields = "") {
    return ask("GET " + path + " HTTP/1.1\r\nHost: 127.0.0.1:9101\r\n" + fields + "\r\n");
  }
  PageAnswer post(const std::string& path, const std::string& body = "{}",
                  const std::string& fields = "Content-Type: application/json\r\nX-Grayd: page\r\n") {
    return ask("POST " + path + " HTTP/1.1\r\nHost: 127.0.0.1:9101\r\n" + fields +
               "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body);
  }
  static void check_refused(const PageAnswer& answer, int status, int exit_code, const char* part) {
    CAPTURE(answer.body);
    CHECK(answer.status == status);
    REQUIRE(answer.parsed().is_object());
    CHECK(answer.parsed()["exit_code"] == exit_code);
    CHECK(contains(answer.parsed()["error"].get<std::string>(), part));
    CHECK(contains(answer.head, "X-Content-Type-Options: nosniff\r\n"));
  }
};

std::size_t count_of(const std::string& text, const std::string& part) {
  std::size_t count = 0;
  for (auto at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++count;
  return count;
}

}  // namespace

TEST_CASE_FIXTURE(DashboardFixture, "the page is sent compressed to who takes that, with its policy") {
  const auto packed = get("/", "Accept-Encoding: br, gzip\r\n");
  CHECK(packed.status == 200);
  CHECK(packed.body == page.gzip);
  CHECK(contains(packed.head, "Content-Encoding: gzip\r\n"));
  const auto plain = get("/");
  CHECK(plain.body == page.html);
  CHECK_FALSE(contains(plain.head, "Content-Encoding"));
  for (const auto& answer : {packed, plain}) {
    CHECK(contains(answer.head, "Content-Type: text/html; charset=utf-8\r\n"));
    CHECK(contains(answer.head, "Content-Security-Policy: default-src 'none'; script-src 'sha256-x'\r\n"));
    CHECK(count_of(answer.head, "Content-Security-Policy") == 1);
    CHECK(contains(answer.head, "Referrer-Policy: no-referrer\r\n"));
    CHECK(contains(answer.head, "Cache-Control: no-store\r\n"));
    CHECK(contains(answer.head, "X-Frame-Options: DENY\r\n"));
  }
  const auto head = ask("HEAD / HTTP/1.1\r\nHost: localhost\r\n\r\n");
  CHECK(head.status == 200);
  CHECK(head.body.empty());
  CHECK(contains(head.head, "Content-Length: " + std::to_string(page.html.size()) + "\r\n"));
}

TEST_CASE_FIXTURE(DashboardFixture, "a grayd without a page says how to get it") {
  page = {};
  const auto answer = get("/");
  CHECK(answer.status == 200);
  CHECK(contains(answer.head, "Content-Type: text/plain"));
  CHECK(contains(answer.body, "built without its page"));
}

TEST_CASE_FIXTURE(DashboardFixture, "a verb that changes nothing is answered as on the admin socket") {
  const auto answer = get("/v1/health?service=web&timeout_ms=1");
  CHECK(answer.status == 200);
  CHECK(answer.parsed()["verb"] == "health");
  CHECK(answer.parsed()["args"] == json::parse(R"({"service":"web"})"));
  CHECK(contains(answer.head, "frame-ancestors 'none'"));
  for (const VerbRow& row : verb_table()) {
    if (row.by != AnsweredBy::grayd) continue;
    CHECK(get("/v1/" + path_name_of(row.verb)).status == (row.changes ? 405 : 200));
  }
}

TEST_CASE_FIXTURE(DashboardFixture, "why by request id reads the log that grayd names") {
  TempDir dir;
  const std::string file = dir / "access.log", id = "0123456789abcdef0123456789abcdef";
  json log = {{"schema_version", 1}, {"access_log", file}};
  daemon.answer = [&](const std::string& verb, const json& args) {
    CHECK(verb == "why");
    CHECK(args == json::object());
    return Reply{.code = ExitCode::ok, .body = log, .error = {}};
  };
  write_file(file, test::log_line(id, "3", 20).dump() + "\n");
  const auto answer = get("/v1/why?request_id=" + id + "&timeout_ms=1");
  CHECK(answer.status == 200);
  CHECK(answer.parsed()["text"] == "cookie uid → bucket 79.4 % ≥ 20 % → stable v1");
  CHECK(answer.parsed()["logged"]["request_id"] == id);
  CHECK(answer.parsed()["schema_version"] == 1);
  check_refused(get("/v1/why?request_id=" + id.substr(1)), 404, 1, "this one has 31 characters");
  check_refused(get("/v1/why?request_id="), 400, 2, "request_id is empty");
  check_refused(get("/v1/why?request_id=a%20b"), 400, 2, "has a space");
  check_refused(get("/v1/why?path=/&request_id=" + id), 400, 2, "request_id or path, not both");
  log["access_log"] = file + ".gone";
  check_refused(get("/v1/why?request_id=" + id), 500, 1, "cannot read the access log");
  log["access_log"] = "";
  check_refused(get("/v1/why?request_id=" + id), 404, 1, "set access_log in the configuration, or ask for a path");
}

TEST_CASE_FIXTURE(DashboardFixture, "a foreign host and a foreign site are refused") {
  const int calls = daemon.calls;
  for (const char* host : {"Host: evil.example\r\n", "", "Host: a\r\nHost: 127.0.0.1\r\n"}) {
    check_refused(ask(std::string("GET / HTTP/1.1\r\n") + host + "\r\n"), 421, 4, "open it by its address");
    check_refused(ask(std::string("GET /v1/status HTTP/1.1\r\n") + host + "\r\n"), 421, 4, "IP address or localhost");
  }
  check_refused(get("/v1/status", "Origin: http://evil.example\r\n"), 403, 4, "another site");
  check_refused(get("/v1/live", "Sec-Fetch-Site: cross-site\r\n"), 403, 4, "another site");
  check_refused(
      post("/v1/promote", "{}", "Content-Type: application/json\r\nX-Grayd: page\r\nOrigin: http://127.0.0.1:9102\r\n"),
      403, 4, "another site");
  CHECK(get("/", "Sec-Fetch-Site: cross-site\r\n").status == 200);
  CHECK(daemon.calls == calls);
}

TEST_CASE_FIXTURE(DashboardFixture, "a change is passed on with the address of the page") {
  for (const char* verb : {"promote", "shift", "undo", "rollout-pause", "rollout-resume", "rollout-promote",
                           "rollout-abort", "rollout-retry"}) {
    const auto answer = post(std::string("/v1/") + verb, R"({"service":"web","peer":{"uid":0,"pid":1}})",
                             "Content-Type: application/json; charset=utf-8\r\nX-Grayd: page\r\n"
                             "Origin: http://127.0.0.1:9101\r\n");
    CHECK(answer.status == 200);
    CHECK(answer.parsed()["args"] == json::parse(R"({"service":"web"})"));
    CHECK(daemon.peer == json::parse(R"({"page":"127.0.0.9"})"));
  }
}

TEST_CASE_FIXTURE(DashboardFixture, "a change that the page does not send is refused") {
  check_refused(post("/v1/promote", "{}", "Content-Type: application/json\r\n"), 403, 4, "X-Grayd: page");
  check_refused(post("/v1/promote", "{}", "X-Grayd: page\r\n"), 415, 2, "application/json");
  check_refused(post("/v1/promote", "[]"), 400, 2, "must be a JSON object");
  check_refused(post("/v1/deploy"), 403, 4, "the page cannot deploy; use grayctl deploy on the host");
  check_refused(post("/v1/status"), 405, 2, "use GET");
  check_refused(post("/"), 405, 2, "use GET");
  check_refused(post("/v1/nothing"), 404, 2, "there is nothing at /v1/nothing");
  check_refused(post("/v1/promote", std::string(DashboardApi::kBodyBytes + 1, ' ')), 413, 2, "16 KiB");
  writable = false;
  check_refused(post("/v1/promote"), 403, 4, "the page is read-only; use grayctl promote");
}

TEST_CASE_FIXTURE(DashboardFixture, "other methods and paths are refused with a sentence") {
  for (const char* method : {"PUT", "DELETE", "OPTIONS", "PATCH"}) {
    const auto answer = ask(std::string(method) + " / HTTP/1.1\r\nHost: localhost\r\n\r\n");
    check_refused(answer, 405, 2, "GET, HEAD and POST only");
    CHECK(contains(answer.head, "Allow: GET, HEAD, POST\r\n"));
  }
  for (const char* path : {"/index.html", "/v1/", "/metrics", "/healthz", "/v1/status/x", "/../etc/passwd"})
    check_refused(get(path), 404, 2, "there is nothing at");
  check_refused(get("/v1/nothing"), 404, 2, "unknown verb");
}
