#include "control/grayctl/client.hpp"

#include <doctest/doctest.h>
#include <sys/fsuid.h>
#include <unistd.h>

#include <cstdlib>
#include <thread>

#include "control/api/admin_server.hpp"
#include "control/api/admin_socket.hpp"
#include "tests/control/fixture.hpp"
#include "tests/control/grayctl/served.hpp"

using namespace gray;
using namespace gray::control;
using nlohmann::json;

namespace {

/// Accepts one connection at `listener`, reads the first bytes and answers `response`, or waits for `closing` if it is
/// empty.
std::thread answering(int listener, std::string response) {
  return std::thread([listener, response = std::move(response)] {
    UniqueFd connection;
    while (!connection) connection.reset(::accept(listener, nullptr, nullptr));
    char request[4096];
    if (::recv(connection.get(), request, sizeof request, 0) <= 0) return;
    send_text(connection.get(), response);
    if (response.empty()) read_to_end(connection.get());
  });
}

std::string http(const std::string& status, const std::string& body) {
  return "HTTP/1.1 " + status + "\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
}

}  // namespace

TEST_CASE("a verb is sent and its body is returned") {
  Served served;
  Answer answer = served.client.get("health", {{"service", "a b&c"}, {"n", 5}});
  CHECK(answer.code == ExitCode::ok);
  CHECK(answer.body["verb"] == "health");
  CHECK(answer.body["args"] == json{{"service", "a b&c"}, {"n", "5"}});
  answer = served.client.post("shift", {{"percent", 12.5}});
  CHECK(answer.body["args"] == json{{"percent", 12.5}});
}

TEST_CASE("a failure is returned with its exit code and text") {
  Served served;
  for (ExitCode code : {ExitCode::failed, ExitCode::usage, ExitCode::conflict, ExitCode::denied, ExitCode::timeout,
                        ExitCode::aborted, ExitCode::bad_config}) {
    served.daemon.answer = [code](auto&&...) { return refused(code, "no \"v9\""); };
    Answer answer = served.client.post("shift");
    CHECK(answer.code == code);
    CHECK(answer.error == "no \"v9\"");
  }
}

TEST_CASE("a daemon that hangs ends in a timeout") {
  Served served;
  std::vector<FakeDaemon::Done> kept;
  served.daemon.take = [&](FakeDaemon::Done done) { kept.push_back(std::move(done)); };
  Answer answer = served.client.post("shift", {{"timeout_ms", 50}});
  CHECK(answer.code == ExitCode::timeout);
  CHECK(contains(answer.error, "within 50 ms"));
}

TEST_CASE("a socket without grayd gives exit 7, with the path and the remedy") {
  TempDir dir;
  Answer answer = Client(dir / "s").get("status");
  CHECK(answer.code == ExitCode::no_daemon);
  CHECK(contains(answer.error, "no grayd answers at " + (dir / "s") + ": there is no such file"));
  CHECK(contains(answer.error, "grayd --config FILE"));
  open_admin_socket(dir / "s");
  answer = Client(dir / "s").get("status");
  CHECK(answer.code == ExitCode::no_daemon);
  CHECK(contains(answer.error, "no process listens"));
  write_file(dir / "file", "");
  answer = Client(dir / "file/s").get("status");
  CHECK(answer.code == ExitCode::no_daemon);
  CHECK(contains(answer.error, "Not a directory"));
}

TEST_CASE("a path too long for a socket is a usage error") {
  Answer answer = Client("/tmp/" + std::string(120, 'x')).get("status");
  CHECK(answer.code == ExitCode::usage);
  CHECK(contains(answer.error, "has 125 bytes, the limit is 107"));
}

TEST_CASE("silence gives a timeout, an early close a failure") {
  TempDir dir;
  UniqueFd listener = open_admin_socket(dir / "s");
  std::thread silent = answering(listener.get(), "");
  Answer answer = Client(dir / "s", Duration{100}).get("status");
  CHECK(answer.code == ExitCode::timeout);
  CHECK(contains(answer.error, "does not answer"));
  silent.join();
  std::thread brief = answering(listener.get(), "HTTP/1.1 200 OK\r\nContent-Le");
  answer = Client(dir / "s").get("status");
  CHECK(answer.code == ExitCode::failed);
  CHECK(contains(answer.error, "without an answer"));
  brief.join();
}

TEST_CASE("a program that is not grayd is recognised") {
  TempDir dir;
  UniqueFd listener = open_admin_socket(dir / "s");
  auto ask = [&](const std::string& response) {
    std::thread other = answering(listener.get(), response);
    Answer answer = Client(dir / "s").get("status");
    other.join();
    return answer;
  };
  Answer answer = ask(http("200 OK", "hello"));
  CHECK(answer.code == ExitCode::failed);
  CHECK(contains(answer.error, "is not grayd: status 200 without JSON"));
  answer = ask(http("500 Oops", "{}"));
  CHECK(answer.code == ExitCode::failed);
  CHECK(answer.error == "grayd answered with status 500");
  CHECK(ask(http("500 Oops", R"({"exit_code":77,"error":"x"})")).code == ExitCode::failed);
  CHECK(ask("\x01\x02\x03\r\n\r\n").code == ExitCode::failed);
}

TEST_CASE("the socket is the one asked for, else that of the environment, else the nearest") {
  TempDir dir;
  const std::filesystem::path before = std::filesystem::current_path();
  std::filesystem::current_path(dir.path());
  ::unsetenv("GRAYCTL_SOCKET");
  std::filesystem::create_directory("run");
  write_file("run/grayd.sock", "");
  CHECK(find_socket("") == "run/grayd.sock");
  ::setenv("GRAYCTL_SOCKET", "/env.sock", 1);
  CHECK(find_socket("") == "/env.sock");
  CHECK(find_socket("/asked.sock") == "/asked.sock");
  ::unsetenv("GRAYCTL_SOCKET");
  std::filesystem::current_path(before);
}
