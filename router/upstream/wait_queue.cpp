#include "router/upstream/wait_queue.hpp"

#include <algorithm>

namespace gray::upstream {

void ServiceTime::add(Micros sample) {
  sample = std::max(sample, Micros{1});  // 0 means "not known"
  scaled_ = scaled_ == Micros{0} ? sample * kWeight : scaled_ + sample - scaled_ / kWeight;
}

bool worth_waiting(std::size_t position, std::size_t sockets, Micros mean_service, Duration limit) {
  if (sockets == 0 || mean_service <= Micros{0}) return true;
  const double rounds = static_cast<double>(position) / static_cast<double>(sockets);
  return rounds * static_cast<double>(mean_service.count()) <= static_cast<double>(Micros(limit).count());
}

}  // namespace gray::upstream
