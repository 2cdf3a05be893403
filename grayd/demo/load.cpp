#include "grayd/demo/load.hpp"

#include <fmt/format.h>
#include <httplib.h>

#include "grayd/demo/demo_plan.hpp"

namespace gray::demo {
namespace {

constexpr Duration kPatience{3'000};  // for an answer
constexpr Duration kPauseAfterNone{250};
constexpr std::uint32_t kSeed = 1;  // every demo has the same users in the same order

}  // namespace

Load::Load(std::uint16_t port) : port_(port), pace_(kInterval), random_(kSeed) {
  for (std::size_t i = 0; i < kConnections; ++i) threads_.emplace_back([this] { ask_until_end(); });
}

Load::~Load() {
  {
    const std::lock_guard lock(mutex_);
    ends_ = true;
  }
  end_comes_.notify_all();
  for (std::thread& thread : threads_) thread.join();
}

Tally Load::tally() const {
  const std::lock_guard lock(mutex_);
  return tally_;
}

void Load::forget_faults() {
  const std::lock_guard lock(mutex_);
  tally_.forget_faults();
}

std::optional<int> Load::next_user() {
  std::unique_lock lock(mutex_);
  const TimePoint due = pace_.take(Clock::now());
  if (end_comes_.wait_until(lock, due, [this] { return ends_; })) return std::nullopt;
  return std::uniform_int_distribution<int>(1, kUsers)(random_);
}

bool Load::ended_within(Duration time) {
  std::unique_lock lock(mutex_);
  return end_comes_.wait_for(lock, time, [this] { return ends_; });
}

void Load::ask_until_end() {
  httplib::Client client("127.0.0.1", port_);
  client.set_keep_alive(true);
  client.set_tcp_nodelay(true);
  client.set_connection_timeout(kPatience);
  client.set_read_timeout(kPatience);
  while (const auto user = next_user()) {
    const TimePoint begin = Clock::now();
    const auto answer = client.Get("/", {{"Cookie", fmt::format("uid={}", *user)}});
    if (!answer) {
      if (ended_within(kPauseAfterNone)) return;
      continue;
    }
    const Met met{answer->get_header_value("X-Gray-Version"), *user, answer->status,
                  std::chrono::duration_cast<Duration>(Clock::now() - begin), wall_now()};
    const std::lock_guard lock(mutex_);
    tally_.add(met);
  }
}

}  // namespace gray::demo
