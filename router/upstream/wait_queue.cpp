#include "router/upstream/wait_queue.hpp"

#include <algorithm>

namespace gray::upstream {

void ServiceTime::add(Micros sample) {
  sample = std::max(sample, Micros{1});  // 0 means "not known"
  scaled_ = scaled_ == Micros{0} ? sample * kWeight : scaled_ + sample - scaled_ / kWeight;
}

}  // namespace gray::upstream
