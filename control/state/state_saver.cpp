#include "control/state/state_saver.hpp"

#include <fmt/format.h>

#include <mutex>
#include <utility>
#include <vector>

#include "config/base/archive.hpp"

namespace gray::control {
namespace {

SaveEnd save_end(const SaveOutcome& outcome, Revision before) {
  if (const auto* saved = std::get_if<Saved>(&outcome)) return {ExitCode::ok, {}, saved->revision};
  if (const auto* conflict = std::get_if<Conflict>(&outcome)) {
    const auto who = conflict->by.who.empty() ? std::string("another grayd") : conflict->by.who;
    const auto what = conflict->by.what.empty() ? std::string("an unknown change") : conflict->by.what;
    return {ExitCode::conflict,
            fmt::format("the state was changed meanwhile: {} ({}), revision {}", what, who, conflict->current), before};
  }
  return {ExitCode::failed, std::get<SaveFailed>(outcome).error, before};
}

}  // namespace

struct StateSaver::Impl {
  explicit Impl(RolloutStore& its_store) : store(its_store) {}

  struct Waiting {
    State state;
    Author by;
    std::vector<Done> done;
  };

  /// Outside of the mutex: a store may call back at once.
  static void send(const std::shared_ptr<Impl>& self, Waiting save, Revision expected) {
    auto done = std::make_shared<std::vector<Done>>(std::move(save.done));
    self->store.save(std::move(save.state), std::move(save.by), expected,
                     [self, done](const SaveOutcome& outcome) { ended(self, outcome, *done); });
  }

  static void ended(const std::shared_ptr<Impl>& self, const SaveOutcome& outcome, const std::vector<Done>& done) {
    const auto end = self->note(outcome);
    for (const auto& one : done) one(end);
    Waiting next;
    {
      std::lock_guard guard(self->mutex);
      next = std::exchange(self->waiting, {});
      self->running = !next.done.empty();
    }
    if (!next.done.empty()) send(self, std::move(next), end.revision);
  }

  SaveEnd note(const SaveOutcome& outcome) {
    std::lock_guard guard(mutex);
    auto end = save_end(outcome, revision);
    revision = end.revision;
    return end;
  }

  RolloutStore& store;
  std::mutex mutex;
  Revision revision = 0;  // of the state that the next save is made from
  Waiting waiting;        // none while it has no `done`
  bool running = false;
};

StateSaver::StateSaver(RolloutStore& store) : impl_(std::make_shared<Impl>(store)) {}
StateSaver::~StateSaver() = default;

void StateSaver::begin(Revision revision) {
  std::lock_guard guard(impl_->mutex);
  impl_->revision = revision;
}

void StateSaver::save(State state, Author by, Done done) {
  Impl::Waiting now;
  Revision expected = 0;
  {
    std::lock_guard guard(impl_->mutex);
    impl_->waiting.state = std::move(state);
    impl_->waiting.by = std::move(by);
    impl_->waiting.done.push_back(std::move(done));
    if (std::exchange(impl_->running, true)) return;
    now = std::exchange(impl_->waiting, {});
    expected = impl_->revision;
  }
  Impl::send(impl_, std::move(now), expected);
}

Revision StateSaver::revision() const {
  std::lock_guard guard(impl_->mutex);
  return impl_->revision;
}

template <class Io>
void StateSaver::archive(Io& io) {
  std::lock_guard guard(impl_->mutex);
  io("revision", impl_->revision);
}
template void StateSaver::archive(Save&);
template void StateSaver::archive(Load&);

}  // namespace gray::control
