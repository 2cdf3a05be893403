#include "supervisor/process/environment.hpp"

#include <doctest/doctest.h>

#include <iterator>
#include <sstream>

using namespace gray::supervisor;

namespace {

std::vector<std::string> words(const std::string& text) {
  std::istringstream stream(text);
  return {std::istream_iterator<std::string>(stream), {}};
}

}  // namespace

TEST_CASE("a worker gets the environment of grayd, the configured one, and its own, which wins") {
  const char* inherited[] = {"HOME=/root", "GREETING=hi", "PORT=1", nullptr};
  const auto environment = worker_environment(inherited, {{"GREETING", "hello"}, {"HOST", "0.0.0.0"}},
                                              {.version = "v1",
                                               .worker_id = "web@v1#0",
                                               .generation = 7,
                                               .instance = "abc",
                                               .port = 4321,
                                               .notify_path = "/run/x/notify",
                                               .ready_fd = 3,
                                               .ipc_fd = 4});
  CHECK(find_variable(environment, "HOME") == "/root");
  CHECK(find_variable(environment, "GREETING") == "hello");
  CHECK(find_variable(environment, "PORT") == "4321");
  CHECK(find_variable(environment, "HOST") == "127.0.0.1");
  CHECK(find_variable(environment, "GRAY_VERSION") == "v1");
  CHECK(find_variable(environment, "GRAY_WORKER_ID") == "web@v1#0");
  CHECK(find_variable(environment, "GRAY_GENERATION") == "7");
  CHECK(find_variable(environment, "GRAY_INSTANCE") == "abc");
  CHECK(find_variable(environment, "NOTIFY_SOCKET") == "/run/x/notify");
  CHECK(find_variable(environment, "GRAY_READY_FD") == "3");
  CHECK(find_variable(environment, "NODE_CHANNEL_FD") == "4");
  CHECK(find_variable(environment, "NODE_CHANNEL_SERIALIZATION_MODE") == "json");
}

TEST_CASE("variables that would mislead a worker are not inherited") {
  const char* inherited[] = {"NODE_CHANNEL_FD=9", "NODE_CHANNEL_SERIALIZATION_MODE=advanced",
                             "NODE_UNIQUE_ID=1",  "NOTIFY_SOCKET=/x",
                             "WATCHDOG_USEC=1",   "WATCHDOG_PID=1",
                             "LISTEN_FDS=1",      "LISTEN_PID=1",
                             "LISTEN_PIDFDID=1",  "LISTEN_FDNAMES=x",
                             "MAINPID=1",         "GRAY_READY_FD=3",
                             "GRAY_SOCKET=/y",    "PORT=1",
                             "HOST=::",           nullptr};
  const auto environment = worker_environment(inherited, {}, {"v1", "web@v1#0", 1, "abc"});
  CHECK(environment == std::vector<std::string>{"GRAY_GENERATION=1", "GRAY_INSTANCE=abc", "GRAY_VERSION=v1",
                                                "GRAY_WORKER_ID=web@v1#0"});
}

TEST_CASE("a worker with a unix or an inherited socket gets its variables, and no PORT") {
  const char* inherited[] = {"PORT=8000", "HOST=::", nullptr};
  const auto with_path = worker_environment(inherited, {}, {.socket_path = "/run/x/http"});
  CHECK(find_variable(with_path, "GRAY_SOCKET") == "/run/x/http");
  CHECK_FALSE(find_variable(with_path, "PORT"));
  CHECK_FALSE(find_variable(with_path, "HOST"));
  const auto with_socket = worker_environment(inherited, {}, {.inherits_socket = true});
  CHECK(find_variable(with_socket, "LISTEN_FDS") == "1");
  CHECK(find_variable(with_socket, "LISTEN_FDNAMES") == "http");
  CHECK_FALSE(find_variable(with_socket, "PORT"));
}

TEST_CASE("a worker of another user gets nothing of the user of grayd, unless the configuration says otherwise") {
  const char* inherited[] = {"HOME=/root", "USER=root", "LOGNAME=root", "SHELL=/bin/zsh", nullptr};
  const auto environment = worker_environment(inherited, {{"HOME", "/srv"}, {"TMPDIR", "/var/tmp"}, {"SUDO_USER", "x"}},
                                              {.user = "nobody", .home = "/nonexistent", .shell = "/bin/false"});
  CHECK(find_variable(environment, "USER") == "nobody");
  CHECK(find_variable(environment, "LOGNAME") == "nobody");
  CHECK(find_variable(environment, "SHELL") == "/bin/false");
  CHECK(find_variable(environment, "HOME") == "/srv");
  CHECK(find_variable(environment, "TMPDIR") == "/var/tmp");
  CHECK(find_variable(environment, "SUDO_USER") == "x");
}

TEST_CASE("variables of a login are removed with a change of user, and only then; those of the service stay") {
  const auto personal = words(
      "TMPDIR TMP TEMP MAIL PWD OLDPWD SHLVL _ HISTFILE XDG_RUNTIME_DIR XDG_SESSION_ID XDG_CONFIG_HOME SUDO_USER "
      "SUDO_UID SUDO_GID SUDO_COMMAND DOAS_USER PKEXEC_UID DBUS_SESSION_BUS_ADDRESS SSH_CLIENT SSH_CONNECTION SSH_TTY "
      "SSH_AUTH_SOCK GPG_TTY KRB5CCNAME DISPLAY XAUTHORITY WAYLAND_DISPLAY SESSION_MANAGER DESKTOP_SESSION");
  const auto service = words(
      "PATH LANG LC_ALL TZ TERM ENV NODE_ENV SESSION_SECRET SSH_KEY MAIL_HOST TEMPERATURE DISPLAY_NAME STATE_DIRECTORY "
      "INVOCATION_ID KRB5_CONFIG DATABASE_URL");
  std::vector<std::string> lines;
  for (const auto* names : {&personal, &service})
    for (const std::string& name : *names) lines.push_back(name + "=x");
  std::vector<const char*> inherited;
  for (const std::string& line : lines) inherited.push_back(line.c_str());
  inherited.push_back(nullptr);
  const auto changed = worker_environment(inherited.data(), {}, {.user = "nobody", .home = "/", .shell = "/bin/sh"});
  const auto unchanged = worker_environment(inherited.data(), {}, {});
  for (const std::string& name : personal) {
    CHECK_MESSAGE(!find_variable(changed, name), name);
    CHECK_MESSAGE(find_variable(unchanged, name) == "x", name);
  }
  for (const std::string& name : service) CHECK_MESSAGE(find_variable(changed, name) == "x", name);
}

TEST_CASE("a name with a slash is used as it is; others are searched in the worker's own PATH") {
  CHECK(program_candidates("./run", {"PATH=/bin"}) == std::vector<std::string>{"./run"});
  CHECK(program_candidates("run", {"PATH=/a::/b"}) == std::vector<std::string>{"/a/run", "./run", "/b/run"});
  CHECK(program_candidates("run", {"PATHOLOGY=/a"}).back() == "/bin/run");
}
