#include "grayd/demo/demo_worker.hpp"

#include <fmt/core.h>
#include <httplib.h>
#include <sys/socket.h>
#include <unistd.h>

#include <condition_variable>
#include <csignal>
#include <cstdlib>
#include <fstream>
#include <mutex>
#include <thread>

#include "config/base/demo_place.hpp"
#include "config/base/exit_code.hpp"
#include "grayd/demo/demo_plan.hpp"

namespace gray::demo {
namespace {

constexpr std::size_t kThreads = 24;  // more than max_sockets of the configuration: each connection needs one
constexpr int kWorkerBacklog = 256;
constexpr Duration kEndTime{1'500};  // for requests in flight, below the stop timeout of the configuration

std::string variable(const char* name) {
  const char* const value = std::getenv(name);
  return value != nullptr ? value : "";
}

class Worker {
 public:
  explicit Worker(std::string version) : version_(std::move(version)), file_(break_file(version_)) {
    server_.new_task_queue = [] { return new httplib::ThreadPool(kThreads); };
    server_.set_tcp_nodelay(true);
    server_.set_keep_alive_max_count(1'000'000);
    server_.set_keep_alive_timeout(10);  // longer than grayd keeps an idle connection
    // The library's default would let two processes share the port.
    server_.set_socket_options([this](socket_t fd) {
      const int on = 1;
      ::setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
      listener_ = fd;
    });
    server_.Get("/healthz", [](const auto&, auto& response) { response.set_content("ok\n", "text/plain"); });
    server_.Get(".*", [this](const auto&, auto& response) { answer(response); });
    server_.set_logger([this](const auto& request, const auto&) {  // called when the answer is written
      if (request.path != "/healthz") add(-1);
    });
  }

  bool bind(const std::string& host, int port) {
    return server_.bind_to_port(host, port) && ::listen(listener_, kWorkerBacklog) == 0;
  }
  void serve() { server_.listen_after_bind(); }

  /// Accepts nothing more, and returns when no request is in flight, or after kEndTime.
  void stop() {
    server_.stop();
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, kEndTime, [this] { return in_flight_ == 0; });
  }

 private:
  void add(int change) {
    const std::lock_guard lock(mutex_);
    in_flight_ += change;
    changed_.notify_all();
  }

  Fault fault_now() const {
    std::ifstream in(file_);
    std::string text;
    std::getline(in, text);
    return fault_of(text);
  }

  void answer(httplib::Response& response) {
    const Fault fault = fault_now();
    if (fault == Fault::crash) {
      fmt::print(stderr, "{}: the price list is empty, giving up\n", version_);
      std::_Exit(1);
    }
    add(1);
    if (fault == Fault::late) wait_late();
    if (fault == Fault::error) {
      fmt::print(stderr, "{}: the price list is empty\n", version_);
      response.status = 500;
    }
    response.set_content(fault == Fault::error ? version_ + ": internal error\n" : "hello from " + version_ + "\n",
                         "text/plain");
  }

  /// In the place of work.
  void wait_late() {
    std::mutex own;
    std::unique_lock lock(own);
    std::condition_variable().wait_for(lock, kLate, [] { return false; });
  }

  std::string version_, file_;
  httplib::Server server_;
  socket_t listener_ = INVALID_SOCKET;
  std::mutex mutex_;
  std::condition_variable changed_;
  int in_flight_ = 0;
};

void say_ready(const std::string& descriptor) {
  constexpr std::string_view kReady = "READY=1\n";
  if (!descriptor.empty()) (void)!::write(std::atoi(descriptor.c_str()), kReady.data(), kReady.size());
}

}  // namespace

Fault fault_of(const std::string& text_of_file) {
  if (text_of_file == "errors") return Fault::error;
  if (text_of_file == "slow") return Fault::late;
  if (text_of_file == "crash") return Fault::crash;
  return Fault::none;
}

int run_worker() {
  const std::string version = variable("GRAY_VERSION"), host = variable("HOST"), port = variable("PORT");
  if (version.empty() || host.empty() || port.empty()) {
    fmt::print(stderr, "grayd: demo-worker is started by grayd demo; try: grayd demo\n");
    return static_cast<int>(ExitCode::usage);
  }
  sigset_t term;
  ::sigemptyset(&term);
  ::sigaddset(&term, SIGTERM);
  ::sigprocmask(SIG_BLOCK, &term, nullptr);  // before any thread: one of them waits for it
  Worker worker(version);
  if (!worker.bind(host, std::atoi(port.c_str()))) {
    fmt::print(stderr, "grayd demo-worker: cannot listen on {}:{}\n", host, port);
    return static_cast<int>(ExitCode::failed);
  }
  std::thread serving([&worker] { worker.serve(); });
  say_ready(variable("GRAY_READY_FD"));
  int signal = 0;
  ::sigwait(&term, &signal);
  worker.stop();
  std::_Exit(0);  // idle connections may be open: their threads are not waited for
}

}  // namespace gray::demo
