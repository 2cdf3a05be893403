#include "control/api/cut_off.hpp"

#include <sys/eventfd.h>

#include <algorithm>
#include <cerrno>
#include <limits>
#include <system_error>

namespace gray::control {

CutOff::CutOff() : known_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
  if (!known_) throw std::system_error(errno, std::generic_category(), "eventfd of a server");
}

void CutOff::set(TimePoint when) {
  when_ = when.time_since_epoch();
  ::eventfd_write(known_.get(), 1);
}

bool CutOff::wait(TimePoint until, pollfd first, pollfd second) const {
  for (;;) {
    const TimePoint cut = get();
    const auto left = std::chrono::ceil<Duration>(std::min(until, cut) - Clock::now()).count();
    if (left <= 0) return false;
    // Once the time is known, its descriptor is not needed any more.
    pollfd entries[] = {first, second, {cut == TimePoint::max() ? known_.get() : -1, POLLIN, 0}};
    const auto bound = std::min<Duration::rep>(left, std::numeric_limits<int>::max());
    const int shown = ::poll(entries, std::size(entries), static_cast<int>(bound));
    if (shown < 0 && errno != EINTR) return false;
    if (shown > 0 && (entries[0].revents != 0 || entries[1].revents != 0)) return true;
  }
}

}  // namespace gray::control
