#pragma once
// Callbacks that may outlive their object. A cancelled Asio operation still runs its handler, and one that completed
// before the cancellation runs it with success; guard() makes both do nothing once the object is destroyed.
//
// One thread. A Lifetime must be the last member of its object.
#include <memory>
#include <utility>

namespace gray::master {

class Lifetime {
 public:
  template <typename Function>
  auto guard(Function function) const {
    return [alive = std::weak_ptr<char>(token_), function = std::move(function)](auto&&... values) mutable {
      if (!alive.expired()) function(std::forward<decltype(values)>(values)...);
    };
  }

 private:
  std::shared_ptr<char> token_ = std::make_shared<char>();
};

}  // namespace gray::master
