// Loaded into grayd by LD_PRELOAD: changes the wall clock like an administrator would. The file named by
// CLOCK_JUMP_FILE holds seconds, as an int64, that are added to every reading of it; nothing else changes, so code that
// fails with it has used the wall clock to measure durations.
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include <cstdint>
#include <cstdlib>

namespace {

std::int64_t offset() {
  static const volatile std::int64_t* const kShared = [] {
    const char* path = std::getenv("CLOCK_JUMP_FILE");
    const int fd = path != nullptr ? ::open(path, O_RDONLY | O_CLOEXEC) : -1;
    void* const mapped = fd >= 0 ? ::mmap(nullptr, sizeof(std::int64_t), PROT_READ, MAP_SHARED, fd, 0) : MAP_FAILED;
    if (fd >= 0) ::close(fd);
    return mapped != MAP_FAILED ? static_cast<const std::int64_t*>(mapped) : nullptr;
  }();
  return kShared != nullptr ? *kShared : 0;
}

}  // namespace

extern "C" {

int clock_gettime(clockid_t clock, timespec* time) noexcept {
  const long result = ::syscall(SYS_clock_gettime, clock, time);
  if (result == 0 && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE)) time->tv_sec += offset();
  return static_cast<int>(result);
}

int gettimeofday(timeval* time, void* zone) noexcept {
  const long result = ::syscall(SYS_gettimeofday, time, zone);
  if (result == 0 && time != nullptr) time->tv_sec += offset();
  return static_cast<int>(result);
}

time_t time(time_t* out) noexcept {
  timespec now;
  ::clock_gettime(CLOCK_REALTIME, &now);
  if (out != nullptr) *out = now.tv_sec;
  return now.tv_sec;
}
}
