// Reads the CPU clocks of processes inside the emulated machine, and calibrates them.
//   meter PID...     prints the nanoseconds of CPU time that these processes have had, all threads, user and kernel
//   meter --loop N   runs a loop of N instructions and prints what it was charged
// Every reading executes kMark first, a no-op that the plugin of the machine looks for: it notes its own counters then,
// so the n-th reading here belongs to the n-th line there.
#include <cerrno>
#include <charconv>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <ctime>
#include <string_view>

namespace {

void mark() {
  asm volatile(".byte 0x0f, 0x1f, 0x80, 0x47, 0x52, 0x41, 0x59" ::: "memory");  // nopl 0x59415247(%rax)
}

bool number(std::string_view text, std::int64_t& value) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc{} && end == text.data() + text.size() && value > 0;
}

/// The kernel's name of a process's CPU clock, as clock_getcpuclockid makes it; -1 when there is no such process.
std::int64_t cpu_nanoseconds(std::int64_t pid) {
  const auto clock = static_cast<clockid_t>((~static_cast<std::uint32_t>(pid) << 3) | 2);
  timespec time{};
  if (clock_gettime(clock, &time) != 0) return -1;
  return time.tv_sec * 1'000'000'000 + time.tv_nsec;
}

std::int64_t own_nanoseconds() {
  timespec time{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
  return time.tv_sec * 1'000'000'000 + time.tv_nsec;
}

void loop(std::int64_t instructions) {
  std::int64_t rounds = instructions / 2;
  const std::int64_t before = own_nanoseconds();
  mark();
  asm volatile("1: dec %0\n jnz 1b" : "+r"(rounds) : : "cc");
  mark();
  std::printf("LOOP %lld %lld\n", static_cast<long long>(instructions),
              static_cast<long long>(own_nanoseconds() - before));
}

int fail(const char* what) {
  std::fprintf(stderr, "meter: %s: give process ids, or --loop and a number\n", what);
  return 2;
}

}  // namespace

int main(int argc, char** argv) {
  std::int64_t value = 0;
  if (argc == 3 && std::strcmp(argv[1], "--loop") == 0) {
    if (!number(argv[2], value)) return fail(argv[2]);
    loop(value);
    return 0;
  }
  if (argc < 2) return fail("no argument");
  std::int64_t sum = 0;
  mark();
  for (int i = 1; i < argc; ++i) {
    if (!number(argv[i], value)) return fail(argv[i]);
    const std::int64_t time = cpu_nanoseconds(value);
    if (time < 0) return fail(std::strerror(errno));
    sum += time;
  }
  std::printf("%lld\n", static_cast<long long>(sum));
  return 0;
}
