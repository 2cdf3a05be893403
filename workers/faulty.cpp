// A worker that misbehaves on demand: one flag for each fault that a supervisor or a proxy must handle. Without flags
// it is a normal worker that listens on PORT and HOST, writes READY=1 to GRAY_READY_FD and ends on SIGTERM.
//   GET /healthz   200, not counted as a request
//   /echo          method, path, headers and length of the body as JSON
//   anything else  one line of JSON that names version, worker, pid and the number of the request
#include <httplib.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <nlohmann/json.hpp>
#include <random>
#include <string>
#include <string_view>
#include <thread>

namespace {

struct Faults {
  unsigned delay_ms = 0;
  double error_rate = 0;  // 0..1
  std::uint64_t seed = 1;
  std::size_t body = 0;
  std::uint64_t crash_at = 0;  // 0: never; so for hang_at
  std::uint64_t hang_at = 0;
  unsigned crash_after_ms = 0;  // 0: never
  bool crash_on_start = false;
  bool never_ready = false;
  unsigned ready_after_ms = 0;
  std::string ready = "pipe";
  bool garbage = false;
  bool ignore_term = false;
  bool fork_grandchild = false;
  bool flood_stdout = false;
  std::size_t threads = 64;
  int exit_code = 3;
};

void declare(CLI::App& app, Faults& faults) {
  app.add_option("--delay", faults.delay_ms, "milliseconds before each answer");
  app.add_option("--error-rate", faults.error_rate, "share of requests answered 500")->check(CLI::Range(0.0, 1.0));
  app.add_option("--seed", faults.seed, "seed of the choice of these requests")->capture_default_str();
  app.add_option("--body", faults.body, "pad the answer to this many bytes");
  app.add_option("--crash-at", faults.crash_at, "exit on the Nth request without an answer");
  app.add_option("--hang-at", faults.hang_at, "from the Nth request on, answer nothing, not even /healthz");
  app.add_option("--crash-after", faults.crash_after_ms, "exit so many milliseconds after it was ready");
  app.add_flag("--crash-on-start", faults.crash_on_start, "exit before listening");
  app.add_flag("--never-ready", faults.never_ready, "keep running, but neither listen nor report ready");
  app.add_option("--ready-after", faults.ready_after_ms, "milliseconds before listening and reporting ready");
  app.add_option("--ready", faults.ready, "none: listen, but do not report ready")
      ->check(CLI::IsMember({"pipe", "none"}));
  app.add_flag("--garbage", faults.garbage, "random bytes on the ready descriptor, before anything else");
  app.add_flag("--ignore-term", faults.ignore_term, "only SIGKILL ends it");
  app.add_flag("--fork-grandchild", faults.fork_grandchild, "leave a process in a separate session; prints its pid");
  app.add_flag("--flood-stdout", faults.flood_stdout, "write to stdout without end");
  app.add_option("--threads", faults.threads, "connections served at once")->capture_default_str();
  app.add_option("--exit", faults.exit_code, "exit code of the crashes")->capture_default_str();
}

std::string environment(const char* name, const char* otherwise) {
  const char* value = std::getenv(name);
  return value != nullptr ? value : otherwise;
}

void pause_for(unsigned milliseconds) { std::this_thread::sleep_for(std::chrono::milliseconds(milliseconds)); }

[[noreturn]] void sleep_forever() {
  while (true) pause();
}

int ready_fd() { return std::atoi(environment("GRAY_READY_FD", "-1").c_str()); }

/// False when the reader has closed, which a worker ignores.
bool write_all(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t count = write(fd, bytes.data(), bytes.size());
    if (count <= 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(count));
  }
  return true;
}

void write_garbage(std::uint64_t seed) {
  std::mt19937_64 random{seed};
  std::string bytes(8192, '\0');
  for (char& byte : bytes) byte = static_cast<char>(random());
  write_all(ready_fd(), bytes);
}

// The grandchild inherits the blocked SIGTERM, so only SIGKILL ends it early; after some minutes it ends by itself, so
// that a failed test leaves nothing behind for good.
void fork_grandchild() {
  const pid_t child = fork();
  if (child == 0) {
    setsid();
    const pid_t grandchild = fork();
    if (grandchild != 0) {
      std::printf("grandchild %d\n", static_cast<int>(grandchild));
      std::fflush(stdout);
      _exit(0);
    }
    sleep(300);
    _exit(0);
  }
  waitpid(child, nullptr, 0);
}

void flood_stdout() {
  std::string line(1023, 'x');
  line += '\n';
  while (write_all(STDOUT_FILENO, line)) {
  }
}

[[noreturn]] void crash_later(const Faults& faults) {
  pause_for(faults.crash_after_ms);
  std::fprintf(stderr, "faulty: crashed after %u ms\n", faults.crash_after_ms);
  _exit(faults.exit_code);
}

class Worker {
 public:
  explicit Worker(const Faults& faults) : faults_(faults) {
    server_.new_task_queue = [threads = faults.threads] { return new httplib::ThreadPool(threads); };
    server_.set_tcp_nodelay(true);
    server_.set_keep_alive_max_count(1'000'000);
    // The default of the library is SO_REUSEPORT, with which two workers would share a port without an error.
    server_.set_socket_options([this](socket_t fd) {
      const int on = 1;
      setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
      listener_ = fd;
    });
    route();
  }

  /// The library listens with a backlog of 5, with which a burst of connections waits a second for the second SYN.
  bool bind(const std::string& host, int port) {
    return server_.bind_to_port(host, port) && listen(listener_, 4096) == 0;
  }
  void serve() { server_.listen_after_bind(); }

  /// Stops accepting and returns when no request is in flight. Idle connections stay until the process ends.
  void stop() {
    server_.stop();
    while (in_flight_.load() > 0) pause_for(5);
  }

 private:
  using Request = httplib::Request;
  using Response = httplib::Response;

  void route() {
    server_.Get("/healthz", [this](const Request&, Response& response) {
      if (hung_.load()) sleep_forever();
      response.set_content("ok\n", "text/plain");
    });
    const auto any = [this](const Request& request, Response& response) {
      in_flight_.fetch_add(1);
      answer(request, response);
    };
    server_.Get(".*", any).Post(".*", any).Put(".*", any).Patch(".*", any).Delete(".*", any).Options(".*", any);
    // The logger is called when the answer has been written, which is when the request has ended.
    server_.set_logger([this](const Request& request, const Response&) {
      if (request.path != "/healthz") in_flight_.fetch_sub(1);
    });
  }

  void answer(const Request& request, Response& response) {
    const std::uint64_t number = requests_.fetch_add(1) + 1;
    if (number == faults_.crash_at) _exit(faults_.exit_code);
    if (faults_.hang_at > 0 && number >= faults_.hang_at) {
      hung_.store(true);
      sleep_forever();
    }
    if (faults_.delay_ms > 0) pause_for(faults_.delay_ms);
    if (fails(number)) response.status = 500;
    nlohmann::json line = {{"version", environment("GRAY_VERSION", "none")},
                           {"worker", environment("GRAY_WORKER_ID", "none")},
                           {"pid", static_cast<int>(getpid())},
                           {"request", number}};
    if (request.path == "/echo") echo(request, line);
    std::string body = line.dump() + "\n";
    if (body.size() < faults_.body) body.resize(faults_.body, '.');
    response.set_content(body, "application/json");
  }

  static void echo(const Request& request, nlohmann::json& line) {
    line["method"] = request.method;
    line["target"] = request.target;
    line["body_length"] = request.body.size();
    nlohmann::json headers = nlohmann::json::array();
    for (const auto& [name, value] : request.headers) {
      // The library adds data about the connection to the headers.
      if (name != "REMOTE_ADDR" && name != "REMOTE_PORT" && name != "LOCAL_ADDR" && name != "LOCAL_PORT")
        headers.push_back({name, value});
    }
    line["headers"] = headers;
  }

  /// Depends only on the seed and the number of the request, so a run can be repeated whatever the threads do.
  bool fails(std::uint64_t number) const {
    std::mt19937_64 random{faults_.seed ^ (number * 0x9e3779b97f4a7c15)};
    return std::uniform_real_distribution<>{0, 1}(random) < faults_.error_rate;
  }

  const Faults& faults_;
  httplib::Server server_;
  socket_t listener_ = INVALID_SOCKET;
  std::atomic<std::uint64_t> requests_{0};
  std::atomic<int> in_flight_{0};
  std::atomic<bool> hung_{false};
};

/// Blocked before any thread starts, so that all inherit it; one thread then waits for SIGTERM.
sigset_t block_term() {
  sigset_t term;
  sigemptyset(&term);
  sigaddset(&term, SIGTERM);
  sigprocmask(SIG_BLOCK, &term, nullptr);
  return term;
}

[[noreturn]] void end_on_term(const sigset_t& term, Worker& worker) {
  int signal = 0;
  sigwait(&term, &signal);
  worker.stop();
  _exit(0);
}

int run(const Faults& faults) {
  const sigset_t term = block_term();
  if (faults.ignore_term) signal(SIGTERM, SIG_IGN);
  signal(SIGPIPE, SIG_IGN);
  if (faults.crash_on_start) return faults.exit_code;
  if (faults.fork_grandchild) fork_grandchild();
  if (faults.flood_stdout) std::thread(flood_stdout).detach();
  if (faults.garbage) write_garbage(faults.seed);

  Worker worker{faults};
  if (!faults.ignore_term) std::thread([&] { end_on_term(term, worker); }).detach();
  if (faults.never_ready) sleep_forever();
  pause_for(faults.ready_after_ms);
  const std::string host = environment("HOST", "127.0.0.1");
  const int port = std::atoi(environment("PORT", "3000").c_str());
  if (!worker.bind(host, port)) {
    std::fprintf(stderr, "faulty: cannot listen on %s:%d; is the port free?\n", host.c_str(), port);
    return 1;
  }
  if (faults.ready == "pipe") write_all(ready_fd(), "READY=1\n");
  if (faults.crash_after_ms > 0) std::thread([&] { crash_later(faults); }).detach();
  worker.serve();
  sleep_forever();  // serve() returns when SIGTERM has come; end_on_term ends the process
}

}  // namespace

int main(int argc, char** argv) {
  Faults faults;
  CLI::App app{"A worker that misbehaves on demand."};
  declare(app, faults);
  CLI11_PARSE(app, argc, argv);
  return run(faults);
}
