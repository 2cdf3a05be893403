#pragma once
// A worker that a test controls: every connection runs the script on its own thread, with blocking sockets.
#include <atomic>
#include <functional>
#include <list>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "tests/support/wire.hpp"

namespace gray::test {

inline constexpr std::string_view kOk = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

class FakeWorker {
 public:
  /// One connection as the script sees it.
  class Call : public Wire {
   public:
    Call(UniqueFd fd, FakeWorker& worker, int number) : Wire(std::move(fd)), number_(number), worker_(worker) {}
    /// The next request, whole; false when the connection has ended.
    bool next() {
      request = read_request();
      if (request.complete) worker_.remember(request);
      return request.complete;
    }
    int number() const { return number_; }  // of the connection, from 1
    Message request;

   private:
    int number_;
    FakeWorker& worker_;
  };
  using Script = std::function<void(Call&)>;

  explicit FakeWorker(Script script) : script_(std::move(script)) {
    listener_.listen();
    acceptor_ = std::thread([this] { accept_all(); });
  }
  ~FakeWorker() { stop(); }

  /// Refuses connections from now on and ends the existing ones.
  void stop() {
    if (stopped_.exchange(true)) return;
    ::shutdown(listener_.fd(), SHUT_RDWR);
    acceptor_.join();
    {
      const std::lock_guard lock(mutex_);
      for (const auto& call : calls_) ::shutdown(call->fd(), SHUT_RDWR);
    }
    for (std::thread& thread : threads_) thread.join();
  }

  const Address& address() const { return listener_.address(); }
  int connections() const { return connections_; }
  int open() const { return open_; }
  int requests() const { return requests_; }
  std::vector<Message> seen() const {
    const std::lock_guard lock(mutex_);
    return seen_;
  }

 private:
  void accept_all() {
    while (true) {
      const int fd = ::accept4(listener_.fd(), nullptr, nullptr, SOCK_CLOEXEC);
      if (fd < 0) return;
      const std::lock_guard lock(mutex_);
      const int number = ++connections_;
      ++open_;
      Call& call = *calls_.emplace_back(std::make_unique<Call>(UniqueFd(fd), *this, number));
      threads_.emplace_back([this, &call] {
        script_(call);
        const std::lock_guard closing(mutex_);
        call.close();
        --open_;
      });
    }
  }
  void remember(const Message& request) {
    const std::lock_guard lock(mutex_);
    seen_.push_back(request);
    ++requests_;
  }

  Script script_;
  Listener listener_;
  mutable std::mutex mutex_;
  std::list<std::unique_ptr<Call>> calls_;
  std::vector<std::thread> threads_;
  std::vector<Message> seen_;
  std::atomic<int> connections_{0}, open_{0}, requests_{0};
  std::atomic<bool> stopped_{false};
  std::thread acceptor_;
};

/// Answers every request with `answer`.
inline FakeWorker::Script answers(std::string answer) {
  return [answer = std::move(answer)](FakeWorker::Call& call) {
    while (call.next()) call.write(answer);
  };
}
/// Answers in pieces of `size` bytes, then closes.
inline FakeWorker::Script answers_once(std::string answer, std::size_t size = 1 << 20) {
  return [answer = std::move(answer), size](FakeWorker::Call& call) {
    if (call.next()) call.write_in_pieces(answer, size);
  };
}
/// Answers every request with `name` as the body.
inline FakeWorker::Script says(const std::string& name) {
  return answers("HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(name.size()) + "\r\n\r\n" + name);
}

/// Answers every request with its body.
inline FakeWorker::Script echoes() {
  return [](FakeWorker::Call& call) {
    while (call.next()) {
      const std::string& body = call.request.body;
      call.write("HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body);
    }
  };
}
/// Answers with kOk once the gate is open.
inline FakeWorker::Script answers_after(Gate& gate) {
  return [&gate](FakeWorker::Call& call) {
    while (call.next()) {
      gate.wait();
      call.write(kOk);
    }
  };
}

}  // namespace gray::test
