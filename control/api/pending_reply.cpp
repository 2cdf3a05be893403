#include "control/api/pending_reply.hpp"

#include <sys/eventfd.h>

#include <cerrno>
#include <optional>
#include <system_error>
#include <utility>

#include "config/base/unique_fd.hpp"

namespace gray::control {

struct PendingReply::State {
  UniqueFd bell{::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)};
  TimePoint came_at{};  // written before the promise is fulfilled, read after
};

/// The side of the Daemon. It does not own the descriptor: a caller that gave up has closed it.
class PendingReply::Answerer {
 public:
  explicit Answerer(const std::shared_ptr<State>& state) : state_(state), promise_(std::in_place) {}
  ~Answerer() {
    promise_.reset();  // broken, if it was not fulfilled
    ring();
  }
  Answerer(const Answerer&) = delete;
  Answerer& operator=(const Answerer&) = delete;

  std::shared_future<Reply> reply() { return promise_->get_future().share(); }
  void answer(Reply reply) {
    if (const auto state = state_.lock()) state->came_at = Clock::now();
    promise_->set_value(std::move(reply));
    ring();
  }

 private:
  void ring() {
    if (const auto state = state_.lock()) ::eventfd_write(state->bell.get(), 1);
  }

  std::weak_ptr<State> state_;
  std::optional<std::promise<Reply>> promise_;
};

PendingReply::PendingReply(Daemon& daemon, const std::string& verb, nlohmann::json args)
    : state_(std::make_shared<State>()) {
  if (!state_->bell) throw std::system_error(errno, std::generic_category(), "eventfd of a reply");
  auto answerer = std::make_shared<Answerer>(state_);
  reply_ = answerer->reply();
  daemon.call(verb, std::move(args),
              [answerer = std::move(answerer)](Reply reply) { answerer->answer(std::move(reply)); });
}

int PendingReply::fd() const { return state_->bell.get(); }
TimePoint PendingReply::came_at() const { return state_->came_at; }

}  // namespace gray::control
