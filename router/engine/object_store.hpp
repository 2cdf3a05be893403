#pragma once
// Objects that are used again, so that a connection allocates nothing after a while: one is made when all others are in
// use. After a peak, unused ones above kSpare are freed with each trim(), by the rule of Peak. An object stays where it
// is until it is freed. One thread.
#include <algorithm>
#include <cstddef>
#include <functional>
#include <memory>
#include <unordered_set>
#include <utility>
#include <vector>

#include "router/engine/peak.hpp"

namespace gray::engine {

template <typename Object>
class ObjectStore {
 public:
  static constexpr std::size_t kSpare = 32;  // so many unused ones are always kept

  /// `surplus` is called when has_surplus() becomes true: trim() is to be called until it is false.
  explicit ObjectStore(std::function<void()> surplus = {}) : surplus_(std::move(surplus)) {}

  /// An unused one, else what `make` gives: a std::unique_ptr. Null if that is null.
  template <typename Make>
  Object* take(Make make) {
    if (spare_.empty()) {
      std::unique_ptr<Object> made = make();
      if (!made) return nullptr;
      all_.push_back(std::move(made));
      spare_.reserve(all_.capacity());  // give_back() does not allocate
      spare_.push_back(all_.back().get());
    }
    Object* object = spare_.back();
    spare_.pop_back();
    peak_.saw(in_use());
    return object;
  }
  void give_back(Object& object) {
    const bool had_surplus = has_surplus();
    spare_.push_back(&object);
    if (!had_surplus && has_surplus() && surplus_) surplus_();
  }
  /// The number of objects that were freed; it may be 0 although has_surplus(). Not from within for_each().
  std::size_t trim() {
    const std::size_t surplus = peak_.trim(in_use(), spare_.size(), kSpare);
    if (surplus == 0) return 0;
    const auto first = spare_.end() - static_cast<std::ptrdiff_t>(surplus);
    const std::unordered_set<const Object*> dropped(first, spare_.end());
    spare_.erase(first, spare_.end());
    std::erase_if(all_, [&](const auto& object) { return dropped.contains(object.get()); });
    all_.shrink_to_fit();
    spare_.shrink_to_fit();
    spare_.reserve(all_.capacity());
    return surplus;
  }
  /// Whether more is kept than trim() leaves at last.
  bool has_surplus() const { return spare_.size() > Peak::kept_of(in_use(), kSpare); }

  std::size_t size() const { return all_.size(); }
  std::size_t in_use() const { return all_.size() - spare_.size(); }
  /// Used and unused ones, in the order in which they were made.
  const Object& at(std::size_t index) const { return *all_[index]; }
  /// `visit` may call take().
  template <typename Visit>
  void for_each(Visit visit) {
    for (std::size_t i = 0; i < all_.size(); ++i) visit(*all_[i]);
  }
  template <typename Visit>
  void for_each(Visit visit) const {
    for (const auto& object : all_) visit(std::as_const(*object));
  }
  /// Bytes of the lists, without the objects.
  std::size_t own_memory() const { return (all_.capacity() + spare_.capacity()) * sizeof(void*); }

 private:
  std::function<void()> surplus_;
  std::vector<std::unique_ptr<Object>> all_;
  std::vector<Object*> spare_;
  Peak peak_;
};

}  // namespace gray::engine
