#include "control/api/live_sampler.hpp"

#include <algorithm>
#include <asio/post.hpp>
#include <mutex>
#include <utility>

namespace gray::control {

/// The way back for answers: closed when the sampler is gone.
struct LiveSampler::Gate {
  std::mutex mutex;
  LiveSampler* sampler;
};

LiveSampler::LiveSampler(asio::io_context& io, Daemon& daemon, bool writable,
                         std::function<void(const std::string&)> made)
    : io_(io),
      daemon_(daemon),
      writable_(writable),
      made_(std::move(made)),
      picture_(writable),
      timer_(io),
      gate_(std::make_shared<Gate>()) {
  gate_->sampler = this;
}

LiveSampler::~LiveSampler() {
  const std::lock_guard guard(gate_->mutex);
  gate_->sampler = nullptr;
}

void LiveSampler::start() {
  if (std::exchange(wanted_, true)) return;
  if (asked_ > 0) return;  // the last round goes on
  if (last_status_ && Clock::now() - *last_status_ > kStale) {
    picture_ = Picture(writable_);
    rounds_ = 0;
  }
  arm();
}

void LiveSampler::stop() {
  wanted_ = false;
  timer_.cancel();
}

void LiveSampler::arm() {
  timer_.expires_at(std::max(begun_ + kInterval, Clock::now()));
  timer_.async_wait([this](std::error_code error) {
    if (!error && wanted_ && asked_ == 0) ask_all();
  });
}

void LiveSampler::ask_all() {
  begun_ = Clock::now();
  fresh_ = false;
  ++asked_;  // so that no answer ends the round before all was asked
  ask("status", nlohmann::json::object(), [](LiveSampler& self, const Reply& reply) {
    if (reply.code != ExitCode::ok) return;
    self.last_status_ = Clock::now();
    self.picture_.take_status(reply.body, *self.last_status_);
    self.fresh_ = true;
  });
  ask("events", picture_.next_events(), [](LiveSampler& self, const Reply& reply) {
    if (reply.code == ExitCode::ok) self.picture_.take_events(reply.body);
  });
  if (rounds_++ % kDetailsEach == 0) {
    ask("logs", picture_.next_lines(), [](LiveSampler& self, const Reply& reply) {
      if (reply.code == ExitCode::ok) self.picture_.take_lines(reply.body);
    });
    for (const std::string& service : picture_.next_rollouts()) ask_rollout(service);
  }
  answered();
}

void LiveSampler::ask_rollout(const std::string& service) {
  nlohmann::json args = nlohmann::json::object();
  args["service"] = service;
  ask("rollout-status", std::move(args), [service](LiveSampler& self, const Reply& reply) {
    if (reply.code == ExitCode::ok) self.picture_.take_rollout(service, reply.body);
    if (reply.code == ExitCode::conflict) self.picture_.take_rollout(service, std::nullopt);
  });
}

void LiveSampler::ask(const std::string& verb, nlohmann::json args, Take take) {
  ++asked_;
  daemon_.call(verb, std::move(args), [gate = gate_, take = std::move(take)](Reply reply) {
    const std::lock_guard guard(gate->mutex);
    if (gate->sampler == nullptr) return;
    asio::post(gate->sampler->io_, [gate, take, reply = std::move(reply)] {
      LiveSampler* const self = gate->sampler;  // destroyed on this thread only
      if (self == nullptr) return;
      take(*self, reply);
      self->answered();
    });
  });
}

void LiveSampler::answered() {
  if (--asked_ > 0 || !wanted_) return;
  if (fresh_) made_(picture_.text(wall_now()));
  arm();
}

}  // namespace gray::control
