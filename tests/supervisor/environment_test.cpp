#include "supervisor/environment.hpp"

#include <doctest/doctest.h>

using namespace gray::supervisor;

TEST_CASE("a worker gets the environment of grayd, the configured one, and its own, which wins") {
  const char* inherited[] = {"HOME=/root", "GREETING=hi", "PORT=1", nullptr};
  const auto environment = worker_environment(inherited, {{"GREETING", "hello"}, {"HOST", "0.0.0.0"}},
                                              {"v1", "web@v1#0", 7, "abc", 4321, 3, 4});
  CHECK(find_variable(environment, "HOME") == "/root");
  CHECK(find_variable(environment, "GREETING") == "hello");
  CHECK(find_variable(environment, "PORT") == "4321");
  CHECK(find_variable(environment, "HOST") == "127.0.0.1");
  CHECK(find_variable(environment, "GRAY_VERSION") == "v1");
  CHECK(find_variable(environment, "GRAY_WORKER_ID") == "web@v1#0");
  CHECK(find_variable(environment, "GRAY_GENERATION") == "7");
  CHECK(find_variable(environment, "GRAY_INSTANCE") == "abc");
  CHECK(find_variable(environment, "GRAY_READY_FD") == "3");
  CHECK(find_variable(environment, "NODE_CHANNEL_FD") == "4");
  CHECK(find_variable(environment, "NODE_CHANNEL_SERIALIZATION_MODE") == "json");
}

TEST_CASE("what would mislead a worker is not inherited") {
  const char* inherited[] = {"NODE_CHANNEL_FD=9", "NODE_CHANNEL_SERIALIZATION_MODE=advanced",
                             "NODE_UNIQUE_ID=1",  "NOTIFY_SOCKET=/x",
                             "WATCHDOG_USEC=1",   "WATCHDOG_PID=1",
                             "LISTEN_FDS=1",      "LISTEN_PID=1",
                             "LISTEN_PIDFDID=1",  "LISTEN_FDNAMES=x",
                             "MAINPID=1",         "GRAY_READY_FD=3",
                             "GRAY_SOCKET=/y",    nullptr};
  const auto environment = worker_environment(inherited, {}, {"v1", "web@v1#0", 1, "abc", 1, {}, {}});
  CHECK(environment.size() == 6);
}

TEST_CASE("a name with a slash is taken as it is, another one is looked for in the worker's own PATH") {
  CHECK(program_candidates("./run", {"PATH=/bin"}) == std::vector<std::string>{"./run"});
  CHECK(program_candidates("run", {"PATH=/a::/b"}) == std::vector<std::string>{"/a/run", "./run", "/b/run"});
  CHECK(program_candidates("run", {"PATHOLOGY=/a"}).back() == "/bin/run");
}
