#pragma once
// The connection objects of one thread. A new one is made when all others are in use, and none is freed: an object
// whose socket is closed is used for the next socket, so that a request allocates nothing.
#include <cstddef>
#include <functional>
#include <memory>
#include <vector>

#include "router/backends/upstream.hpp"

namespace gray::proxy {

class UpstreamStore {
 public:
  using Make = std::function<std::unique_ptr<Upstream>(ConnectionOwner&)>;
  UpstreamStore(Make make, ConnectionOwner& owner) : make_(std::move(make)), owner_(owner) {}

  /// An object without a socket.
  Upstream& take() {
    if (spare_.empty()) {
      all_.push_back(make_(owner_));
      spare_.reserve(all_.size());
      spare_.push_back(all_.back().get());
    }
    Upstream& upstream = *spare_.back();
    spare_.pop_back();
    return upstream;
  }
  void give_back(Upstream& upstream) { spare_.push_back(&upstream); }
  std::size_t size() const { return all_.size(); }
  const Upstream& at(std::size_t index) const { return *all_[index]; }
  /// Bytes of the lists without the objects.
  std::size_t own_memory() const { return (all_.capacity() + spare_.capacity()) * sizeof(void*); }
  /// `visit` may call take().
  template <typename Visit>
  void for_each(Visit visit) {
    for (std::size_t i = 0; i < all_.size(); ++i) visit(*all_[i]);
  }

 private:
  Make make_;
  ConnectionOwner& owner_;
  std::vector<std::unique_ptr<Upstream>> all_;
  std::vector<Upstream*> spare_;
};

}  // namespace gray::proxy
