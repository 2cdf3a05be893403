#include "router/proxy/date_clock.hpp"

#include <utility>

namespace gray::proxy {

void DateClock::read(TimePoint now) {
  until_ = now + kDateAge;
  const auto second = std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
  if (std::exchange(second_, second) != second) http::write_date(second, text_.data());
}

}  // namespace gray::proxy
