#include "router/upstream/service_time.hpp"

#include <algorithm>

namespace gray::upstream {

void ServiceTime::add(Micros sample, TimePoint now) {
  if (now >= end_) {
    weight_ = now < end_ + kInterval ? std::max(count_, kLeast) : kLeast;  // else the last interval had no sample
    count_ = 0;
    end_ = now + kInterval;
  }
  ++count_;
  const auto value = static_cast<double>(std::max(sample, Micros{1}).count());  // 0 means "not known"
  mean_ = mean_ == 0 ? value : mean_ + (value - mean_) / weight_;
}

}  // namespace gray::upstream
