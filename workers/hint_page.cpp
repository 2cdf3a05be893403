// The worker of a grayd that was just installed: one page that says what to do next. It needs nothing but grayd itself.
// Every path gets the page, so that a program that asks for another one sees it, too.
#include <httplib.h>
#include <signal.h>
#include <unistd.h>

#include <cstdlib>
#include <string>
#include <string_view>

namespace {

constexpr std::string_view kReady = "READY=1\n";
constexpr std::size_t kThreads = 64;  // each serves one connection: at least as many as grayd opens, max_sockets
constexpr int kBacklog = 128;         // the library's is 5
constexpr std::size_t kRequests = 1'000'000;  // on one connection

constexpr const char* kPage = R"(grayd is installed and serves this page.

To serve your program instead:
  1. sudo editor /etc/grayd/grayd.toml     the line "command" names the program
  2. grayd --config /etc/grayd/grayd.toml --check
  3. sudo grayctl reload

The program gets its address in PORT and HOST. More: man grayd, man grayd.toml
)";

std::string environment(const char* name, const char* otherwise) {
  const char* value = std::getenv(name);
  return value != nullptr ? value : otherwise;
}

httplib::Server* running = nullptr;

void stop(int) { running->stop(); }

}  // namespace

int main() {
  httplib::Server server;
  running = &server;
  server.new_task_queue = [] { return new httplib::ThreadPool(kThreads); };
  server.set_keep_alive_max_count(kRequests);
  socket_t listener = -1;
  server.set_socket_options([&listener](socket_t socket) { listener = socket; });
  signal(SIGTERM, stop);
  server.Get(".*", [](const httplib::Request&, httplib::Response& answer) { answer.set_content(kPage, "text/plain"); });
  const int port = std::atoi(environment("PORT", "8080").c_str());
  if (!server.bind_to_port(environment("HOST", "127.0.0.1").c_str(), port)) {
    std::perror("hint-page: cannot listen on HOST and PORT");
    return 1;
  }
  (void)listen(listener, kBacklog);  // it listens already; failed: with the library's backlog
  const int ready = std::atoi(environment("GRAY_READY_FD", "-1").c_str());
  if (ready >= 0 && write(ready, kReady.data(), kReady.size()) < 0) return 1;
  return server.listen_after_bind() ? 0 : 1;
}
