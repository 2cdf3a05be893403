#pragma once
// All versions under supervision, and which of them must be served: those that were touched since the last turn, and
// those that are due. The others cost nothing in a turn.
#include <functional>
#include <map>
#include <memory>
#include <random>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "supervisor/agenda.hpp"
#include "supervisor/version.hpp"

namespace gray::supervisor {

class Fleet {
 public:
  using Key = std::pair<std::string, std::string>;  // service, version
  using Versions = std::map<Key, std::unique_ptr<Version>>;

  /// `wake` is called when a turn is needed.
  Fleet(WorkerContext& context, std::function<void()> wake) : context_(context), wake_(std::move(wake)) {}

  /// Created at the first call.
  Version& get(const std::string& service, const std::string& name, bool probing, TimePoint now);
  Version* find(const std::string& service, const std::string& name) const;
  const Versions& versions() const { return versions_; }
  std::vector<const Worker*> workers() const;
  bool empty() const;  // no slot is left

  /// It must be served in the next turn.
  void touch(const Version& version);
  void touch_all();
  /// Those that must be served now, in the order of their keys.
  std::vector<Version*> take(TimePoint now);
  /// It was served: keeps when it is due, and whether it has workers that may start. One that is to be forgotten and
  /// has no slot left is removed.
  void served(Version& version);
  std::optional<TimePoint> next() const { return due_.next(); }
  /// Those with workers that may start.
  std::vector<Version*> startable() const;
  bool any_startable() const { return !startable_.empty(); }

  template <class Io>
  void archive(Io& io) {
    io("versions", versions_, [this](const Key& key) { return make(key); });
    if constexpr (Io::kLoads) touch_all();
  }

 private:
  std::unique_ptr<Version> make(const Key& key);

  WorkerContext& context_;
  std::function<void()> wake_;
  std::random_device seeds_;
  Versions versions_;
  std::set<Key> touched_, startable_;
  Agenda<Key> due_;
};

}  // namespace gray::supervisor
