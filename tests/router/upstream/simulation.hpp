#pragma once
// A version's queue under load, in simulated time: the real queue, estimates and decisions; sockets, clients and
// threads are simulated. Times are in milliseconds.
//
// Model: requests come by the clock (open loop), or each client sends the next one when it has its answer (closed
// loop). A request takes a free socket for its service time, or waits on its thread. A socket that becomes free goes to
// the thread whose oldest request has waited longest. A request that has waited for queue_timeout is refused.
#include <algorithm>
#include <cmath>
#include <deque>
#include <queue>
#include <random>
#include <vector>

#include "router/upstream/service_time.hpp"
#include "router/upstream/shedding.hpp"
#include "router/upstream/wait_queue.hpp"

namespace gray::test {

struct QueueScenario {
  double service = 20;
  double spread = 0;  // of the service time, relative; 1: exponential
  std::uint32_t sockets = 8;
  std::uint32_t threads = 1;
  double load = 0;            // open loop: of the capacity
  bool at_random = false;     // open loop: Poisson; else evenly
  std::uint32_t clients = 0;  // closed loop
  double think = 5;           // after a refusal
  std::uint32_t queue = 10'000;
  double queue_timeout = 1'000;
  double seconds = 10;
  double slower = 1;  // from half of the time on: the service time is so many times as long
  unsigned seed = 1;

  double capacity() const { return sockets * seconds * 1'000 / service; }  // requests
};

struct QueueFigures {
  double good = 0;       // answered by a worker
  double refused = 0;    // on arrival
  double dropped = 0;    // from the queue
  double timed_out = 0;  // waited for queue_timeout
  double left = 0;       // ms: the work that waits when the load ends
  std::vector<double> latencies, refusals;

  double all_refused() const { return refused + dropped + timed_out; }

  static double quantile(std::vector<double> values, double q) {
    if (values.empty()) return 0;
    const auto at = static_cast<std::size_t>(q * static_cast<double>(values.size() - 1));
    std::nth_element(values.begin(), values.begin() + static_cast<std::ptrdiff_t>(at), values.end());
    return values[at];
  }
};

class QueueSimulation {
 public:
  explicit QueueSimulation(const QueueScenario& scenario)
      : plan_(scenario), random_(scenario.seed), threads_(scenario.threads) {}

  QueueFigures run() {
    begin();
    while (!events_.empty() && now_ < end() + 5'000) {
      const Event event = events_.top();
      events_.pop();
      now_ = event.at;
      event.request == nullptr ? arrive(event.thread, event.client) : finish(*event.request);
    }
    return figures_;
  }

 private:
  struct Request : upstream::Waiter<Request> {
    double came = 0, granted = 0;
    std::uint32_t thread = 0;
    bool client = false;
  };
  struct Event {
    double at = 0;
    Request* request = nullptr;  // whose service ends; null: one arrives
    std::uint32_t thread = 0;
    bool client = false;
    bool operator<(const Event& other) const { return at > other.at; }
  };
  struct Thread {
    upstream::WaitQueue<Request> queue;
    upstream::Shedding shedding;
    upstream::ServiceTime service_time;
  };

  double end() const { return plan_.seconds * 1'000; }
  TimePoint clock() const { return TimePoint{} + Micros{static_cast<std::int64_t>(now_ * 1'000)}; }
  double uniform() { return std::uniform_real_distribution<double>(0, 1)(random_); }
  std::uint32_t any_thread() { return static_cast<std::uint32_t>(random_() % plan_.threads); }

  void begin() {
    for (std::uint32_t i = 0; i < plan_.clients; ++i)
      events_.push({.at = uniform() * 10, .thread = any_thread(), .client = true});
    if (plan_.clients == 0) events_.push({.thread = any_thread()});
  }
  double service() {
    const double mean = plan_.service * (now_ > end() / 2 ? plan_.slower : 1);
    if (plan_.spread >= 1) return -mean * std::log(1 - uniform());
    return mean * (1 + plan_.spread * (2 * uniform() - 1));
  }
  upstream::QueueLoad load(const Thread& thread) const {
    return {.waiting = waiting_,
            .sockets = plan_.sockets,
            .mean_service = thread.service_time.mean(),
            .limit = Micros{static_cast<std::int64_t>(plan_.queue_timeout * 1'000)},
            .sheds_elsewhere = now_ < shed_until_};
  }

  void arrive(std::uint32_t thread, bool client) {
    Request& request = take();
    request.came = now_;
    request.thread = thread;
    request.client = client;
    if (!client) next_arrival();
    if (busy_ < plan_.sockets && waiting_ == 0) return start(request);
    expire();
    Thread& own = threads_[thread];
    if (waiting_ >= plan_.queue) return refuse(request, figures_.refused);
    const bool admitted = own.shedding.admits(load(own), own.queue.oldest_wait(clock()), clock());
    if (own.shedding.active()) shed_until_ = now_ + 200;
    if (!admitted) return refuse(request, figures_.refused);
    own.queue.push(request, clock(), Duration{static_cast<std::int64_t>(plan_.queue_timeout)});
    ++waiting_;
  }
  void next_arrival() {
    const double gap = plan_.service / (plan_.sockets * plan_.load);
    ++arrivals_;
    const double at = plan_.at_random ? now_ - std::log(1 - uniform()) * gap : static_cast<double>(arrivals_) * gap;
    if (at < end()) return events_.push({.at = at, .thread = any_thread()});
    figures_.left = static_cast<double>(waiting_) * plan_.service / plan_.sockets;
  }
  void start(Request& request) {
    ++busy_;
    request.granted = now_;
    events_.push({.at = now_ + service(), .request = &request});
  }
  void finish(Request& request) {
    --busy_;
    ++figures_.good;
    figures_.latencies.push_back(now_ - request.came);
    threads_[request.thread].service_time.add(Micros{static_cast<std::int64_t>((now_ - request.granted) * 1'000)},
                                              clock());
    again(request, 0.05);
    expire();
    while (waiting_ > 0 && busy_ < plan_.sockets) serve(longest_waiting());
  }
  Thread& longest_waiting() {
    Thread* found = nullptr;
    for (Thread& thread : threads_) {
      if (thread.queue.size() == 0) continue;
      if (found == nullptr || thread.queue.oldest()->since < found->queue.oldest()->since) found = &thread;
    }
    return *found;
  }
  void serve(Thread& thread) {
    thread.shedding.serves(load(thread), thread.queue.oldest_wait(clock()), clock());
    while (thread.queue.size() > 1 &&
           thread.shedding.drops(load(thread), thread.queue.oldest_wait(clock()), thread.queue.size() - 1)) {
      Request& oldest = *thread.queue.oldest();
      thread.queue.remove(oldest);
      --waiting_;
      refuse(oldest, figures_.dropped);
    }
    const bool newest_first = upstream::Shedding::newest_first(load(thread));
    Request* next =
        thread.queue.pop(clock(), newest_first ? upstream::Order::newest_first : upstream::Order::oldest_first);
    if (next == nullptr) return;
    --waiting_;
    start(*next);
  }
  void expire() {
    for (Thread& thread : threads_) {
      while (Request* late = thread.queue.pop_expired(clock())) {
        --waiting_;
        refuse(*late, figures_.timed_out);
      }
    }
  }
  void refuse(Request& request, double& count) {
    ++count;
    figures_.refusals.push_back(now_ - request.came);
    again(request, plan_.think);
  }
  void again(Request& request, double pause) {
    free_.push_back(&request);
    if (request.client && now_ + pause < end())
      events_.push({.at = now_ + pause, .thread = request.thread, .client = true});
  }
  Request& take() {
    if (free_.empty()) free_.push_back(&all_.emplace_back());
    Request& request = *free_.back();
    free_.pop_back();
    return request;
  }

  QueueScenario plan_;
  QueueFigures figures_;
  std::mt19937_64 random_;
  double now_ = 0, shed_until_ = 0;
  std::priority_queue<Event> events_;
  std::deque<Request> all_;
  std::vector<Request*> free_;
  std::deque<Thread> threads_;
  std::size_t waiting_ = 0, arrivals_ = 0;
  std::uint32_t busy_ = 0;
};

}  // namespace gray::test
