#include "grayd/activated_sockets.hpp"

#include <doctest/doctest.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <functional>

#include "grayd/listeners.hpp"
#include "tests/support/temp_folder.hpp"

using namespace gray;
using namespace gray::master;
using test::Folder;

namespace {

Address local() { return *Address::parse("127.0.0.1:0"); }

/// Runs `check` in a process that inherited these descriptors, from 3 on; whether it returned true.
bool activated(const std::vector<int>& fds, const std::string& pid, const std::function<bool()>& check) {
  const pid_t child = ::fork();
  if (child == 0) {
    constexpr int kAside = 200;
    for (std::size_t i = 0; i < fds.size(); ++i) ::dup2(fds[i], kAside + static_cast<int>(i));
    for (std::size_t i = 0; i < fds.size(); ++i) ::dup2(kAside + static_cast<int>(i), 3 + static_cast<int>(i));
    ::setenv("LISTEN_FDS", std::to_string(fds.size()).c_str(), 1);
    ::setenv("LISTEN_PID", pid.empty() ? std::to_string(::getpid()).c_str() : pid.c_str(), 1);
    ::_exit(check() ? 0 : 1);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

}  // namespace

TEST_CASE("sockets are found by their addresses, once, in any order; unused ones are named") {
  Folder folder;
  Listeners tcp({local(), local()}), path({folder.socket("web")});
  tcp.listen();
  path.listen();
  CHECK(activated({path.fds()[0], tcp.fds()[0], tcp.fds()[1]}, {}, [&] {
    auto sockets = ActivatedSockets::from_environment();
    return sockets.left().size() == 3 && sockets.take(tcp.addresses()[1]) && !sockets.take(tcp.addresses()[1]) &&
           sockets.take(folder.socket("web")) && !sockets.take(local()) &&
           sockets.left() == std::vector{tcp.addresses()[0].text()} && std::getenv("LISTEN_FDS") == nullptr;
  }));
}

TEST_CASE("sockets for another process, sockets that do not listen, and other files are not taken") {
  Listeners deaf({local()}), listening({local()});
  listening.listen();
  CHECK(activated({listening.fds()[0]}, "1", [] {
    return ActivatedSockets::from_environment().left().empty() && std::getenv("LISTEN_PID") == nullptr;
  }));
  CHECK(
      activated({deaf.fds()[0], STDIN_FILENO}, {}, [] { return ActivatedSockets::from_environment().left().empty(); }));
}

TEST_CASE("listeners use the given sockets, and do not remove their paths") {
  Folder folder;
  Listeners manager({folder.socket("web"), local()});
  manager.listen();
  CHECK(activated(manager.fds(), {}, [&] {
    auto sockets = ActivatedSockets::from_environment();
    Listeners listeners(manager.addresses(), "http", &sockets);
    listeners.listen();
    return sockets.left().empty() && listeners.addresses() == manager.addresses();
  }));
  CHECK(std::filesystem::exists(folder.path / "web"));
}
