#pragma once
// One run of load on one thread.
//
// Model: requests are offered (by the clock in an open loop, by a free connection in a closed one), wait until a
// connection may take them, are in flight, and end once: answered, timed out, connect failed or broken.
// Invariants
//  - Latency counts from the time at which a request was due, not from when it was sent, so a stalled server cannot
//    hide its stall by slowing the generator down (coordinated omission).
//  - Requests are begun in the order of their intended start and share one patience; so deadlines_ is sorted.
//  - A deadline names the generation of its connection, so one of an earlier request finds nothing. Events need no
//    generation: a connection's descriptor is closed only by its own event or outside a batch of events.
#include <cstdint>
#include <deque>
#include <string>
#include <vector>

#include "tests/bench/reply_reader.hpp"
#include "tests/bench/socket.hpp"
#include "tests/bench/tally.hpp"

namespace gray::bench {

struct Plan {
  sockaddr_in target{};
  std::string host;  // of the Host header
  std::string method = "GET";
  std::string path = "/";            // "{id}" stands for the id of the request, here and in headers
  std::vector<std::string> headers;  // "Name: value"
  std::uint64_t first_id = 0;
  std::uint64_t last_id = 0;
  double rate = 0;                // requests per second; 0: closed loop
  std::uint32_t connections = 0;  // at most so many at once; 0: no limit
  bool keep_alive = false;        // else every request has a connection of its own
  std::uint64_t requests = 0;     // end after so many; 0: by the clock alone
  Clock::duration duration{};     // for how long requests are offered
  Micros patience{10'000'000};    // after which a client gives up
  Micros quick{0};                // end at the first 200 that took less; 0: off
};

class Generator {
 public:
  explicit Generator(Plan plan) : plan_(std::move(plan)) {}

  void run();

  const Tally& tally() const { return tally_; }
  std::uint64_t offered() const { return offered_; }
  Clock::duration elapsed() const { return last_end_ - start_; }
  bool quick_seen() const { return quick_seen_; }

 private:
  // An open loop sleeps no less than this, if no answer wakes it: at high rates a timer for each request would take
  // more CPU than the request. So a request is sent up to this late, and its latency says so.
  static constexpr Micros kPace{50};

  struct Request {
    TimePoint intended;
    std::uint64_t number = 0;
  };
  struct Connection {
    UniqueFd fd;
    std::uint32_t generation = 0;
    bool busy = false;
    bool connected = false;
    bool reused = false;
    Request request;
    std::string out;
    std::size_t sent = 0;
    ReplyReader reply;
  };
  struct Deadline {
    TimePoint at;
    std::uint32_t index = 0;
    std::uint32_t generation = 0;
  };

  bool offering(TimePoint now) const;
  void offer(TimePoint now);
  TimePoint next_start() const;  // of an open loop
  void dispatch();
  void expire(TimePoint now);
  TimePoint next_deadline(TimePoint now) const;

  bool connection_free() const { return !idle_.empty() || plan_.connections == 0 || all_.size() < plan_.connections; }
  std::uint32_t take_connection();
  void begin(std::uint32_t index, Request request);
  void send_request(std::uint32_t index);
  void open(std::uint32_t index);
  void on_event(const epoll_event& event);
  void finish_connect(std::uint32_t index);
  void connect_failed(std::uint32_t index);
  void flush(std::uint32_t index);
  void receive(std::uint32_t index, bool hung_up);
  void answered(std::uint32_t index, bool hung_up);
  void lost(std::uint32_t index);
  void end(std::uint32_t index, bool keep);

  std::string request_text(std::uint64_t number) const;

  Plan plan_;
  Tally tally_;
  Poller poller_;
  std::deque<Connection> all_;
  std::vector<std::uint32_t> idle_;  // indices into all_, last used first
  std::deque<Request> waiting_;
  std::deque<Deadline> deadlines_;
  std::uint64_t offered_ = 0;
  std::uint64_t in_flight_ = 0;
  TimePoint start_;
  TimePoint last_end_;
  TimePoint hold_until_;  // a closed loop pauses after a failed connect instead of spinning on it
  bool quick_seen_ = false;
};

inline void Generator::run() {
  start_ = last_end_ = Clock::now();
  for (TimePoint now = start_; offering(now) || in_flight_ > 0 || !waiting_.empty(); now = Clock::now()) {
    offer(now);
    dispatch();
    for (const epoll_event& event : poller_.wait(next_deadline(now))) on_event(event);
    expire(Clock::now());
  }
}

inline bool Generator::offering(TimePoint now) const {
  if (quick_seen_ || (plan_.requests > 0 && offered_ >= plan_.requests)) return false;
  // An open loop offers all it has promised, even when we wake up late for the last ones.
  const std::chrono::duration<double> duration = plan_.duration;
  if (plan_.rate > 0) return static_cast<double>(offered_) < plan_.rate * duration.count();
  return now - start_ < plan_.duration;
}

inline void Generator::offer(TimePoint now) {
  if (plan_.rate > 0) {
    for (; offering(now) && next_start() <= now; ++offered_) waiting_.push_back({next_start(), offered_});
    return;
  }
  const std::uint64_t in_use = in_flight_ + waiting_.size();
  for (std::uint64_t used = in_use; used < plan_.connections && offering(now) && now >= hold_until_; ++used)
    waiting_.push_back({now, offered_++});
}

inline TimePoint Generator::next_start() const {
  const std::chrono::duration<double> offset{static_cast<double>(offered_) / plan_.rate};
  return start_ + std::chrono::duration_cast<Clock::duration>(offset);
}

inline void Generator::dispatch() {
  while (!waiting_.empty() && connection_free()) {
    const Request request = waiting_.front();
    waiting_.pop_front();
    begin(take_connection(), request);
  }
}

inline TimePoint Generator::next_deadline(TimePoint now) const {
  TimePoint next = now + std::chrono::seconds(1);
  if (offering(now) && plan_.rate > 0) next = std::min(next, std::max(next_start(), now + kPace));
  if (hold_until_ > now) next = std::min(next, hold_until_);
  if (!waiting_.empty()) next = std::min(next, waiting_.front().intended + plan_.patience);
  if (!deadlines_.empty()) next = std::min(next, deadlines_.front().at);
  return next;
}

inline void Generator::expire(TimePoint now) {
  for (; !deadlines_.empty() && deadlines_.front().at <= now; deadlines_.pop_front()) {
    const Deadline& due = deadlines_.front();
    if (all_[due.index].generation != due.generation) continue;
    tally_.timed_out(plan_.patience);
    end(due.index, false);
  }
  for (; !waiting_.empty() && waiting_.front().intended + plan_.patience <= now; waiting_.pop_front()) {
    tally_.timed_out(plan_.patience);
    last_end_ = now;
  }
}

inline std::uint32_t Generator::take_connection() {
  if (idle_.empty()) {
    all_.emplace_back();
    return static_cast<std::uint32_t>(all_.size() - 1);
  }
  const std::uint32_t index = idle_.back();
  idle_.pop_back();
  return index;
}

inline void Generator::begin(std::uint32_t index, Request request) {
  Connection& connection = all_[index];
  connection.request = request;
  connection.busy = true;
  connection.reused = static_cast<bool>(connection.fd);
  connection.out = request_text(request.number);
  ++in_flight_;
  deadlines_.push_back({request.intended + plan_.patience, index, connection.generation});
  send_request(index);
}

inline void Generator::send_request(std::uint32_t index) {
  Connection& connection = all_[index];
  connection.sent = 0;
  connection.reply.reset();
  if (connection.reused) {
    flush(index);
  } else {
    open(index);
  }
}

inline void Generator::open(std::uint32_t index) {
  Connection& connection = all_[index];
  connection.connected = false;
  connection.fd = connect_to(plan_.target);
  if (!connection.fd) return connect_failed(index);
  poller_.add(connection.fd.get(), index);
}

inline void Generator::on_event(const epoll_event& event) {
  const auto index = static_cast<std::uint32_t>(event.data.u64);
  Connection& connection = all_[index];
  const bool hung_up = (event.events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0;
  if (!connection.busy) {
    if (hung_up) connection.fd.reset();
    return;
  }
  if (!connection.connected) finish_connect(index);
  if (!connection.busy) return;
  if (event.events & EPOLLOUT) flush(index);
  if (hung_up || event.events & EPOLLIN) receive(index, hung_up);
}

inline void Generator::finish_connect(std::uint32_t index) {
  Connection& connection = all_[index];
  int error = 0;
  socklen_t length = sizeof error;
  getsockopt(connection.fd.get(), SOL_SOCKET, SO_ERROR, &error, &length);
  connection.connected = error == 0;
  if (!connection.connected) connect_failed(index);
}

inline void Generator::connect_failed(std::uint32_t index) {
  tally_.connect_failed();
  hold_until_ = Clock::now() + std::chrono::milliseconds(10);
  end(index, false);
}

inline void Generator::flush(std::uint32_t index) {
  Connection& connection = all_[index];
  while (connection.sent < connection.out.size()) {
    const ssize_t count = send(connection.fd.get(), connection.out.data() + connection.sent,
                               connection.out.size() - connection.sent, MSG_NOSIGNAL);
    if (count < 0) return;  // EAGAIN: the next edge; anything else: the read that follows finds it
    connection.sent += static_cast<std::size_t>(count);
  }
}

inline void Generator::receive(std::uint32_t index, bool hung_up) {
  static thread_local std::array<char, 256 * 1024> scratch;
  Connection& connection = all_[index];
  while (true) {
    const ssize_t count = recv(connection.fd.get(), scratch.data(), scratch.size(), 0);
    if (count < 0 && errno == EAGAIN) return;
    if (count < 0) return lost(index);
    const auto state = count > 0 ? connection.reply.feed({scratch.data(), static_cast<std::size_t>(count)})
                                 : connection.reply.end_of_stream();
    if (state == ReplyReader::State::done) return answered(index, hung_up);
    if (state == ReplyReader::State::broken) return lost(index);
    if (static_cast<std::size_t>(count) < scratch.size() && !hung_up) return;
  }
}

inline void Generator::answered(std::uint32_t index, bool hung_up) {
  Connection& connection = all_[index];
  const auto latency = std::chrono::duration_cast<Micros>(Clock::now() - connection.request.intended);
  tally_.answered(connection.reply.status(), connection.reply.reason(), latency);
  if (connection.reply.status() == 200 && latency < plan_.quick) quick_seen_ = true;
  end(index, plan_.keep_alive && connection.reply.keep_alive() && !hung_up);
}

// A server may close an idle connection just as we reuse it; like any client we try once more on a new one.
inline void Generator::lost(std::uint32_t index) {
  Connection& connection = all_[index];
  if (!connection.reused || connection.reply.touched()) {
    tally_.broken();
    return end(index, false);
  }
  connection.reused = false;
  send_request(index);
}

inline void Generator::end(std::uint32_t index, bool keep) {
  Connection& connection = all_[index];
  connection.busy = false;
  ++connection.generation;
  if (!keep) connection.fd.reset();
  --in_flight_;
  last_end_ = Clock::now();
  idle_.push_back(index);
}

// Never says "Connection: close": a client that leaves after one answer does not announce it, and what a proxy makes of
// the announcement towards its worker is not what is measured.
inline std::string Generator::request_text(std::uint64_t number) const {
  const std::string id = std::to_string(plan_.first_id + number % (plan_.last_id - plan_.first_id + 1));
  std::string text = plan_.method + " " + plan_.path + " HTTP/1.1\r\nHost: " + plan_.host + "\r\n";
  for (const std::string& header : plan_.headers) text += header + "\r\n";
  text += "\r\n";
  for (std::size_t at = 0; (at = text.find("{id}", at)) != std::string::npos;) text.replace(at, 4, id);
  return text;
}

}  // namespace gray::bench
