#include "config/shared/segment.hpp"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "config/shared/totals.hpp"

using namespace gray;
using namespace gray::segment;

namespace {

UniqueFd copy_of(const Segment& segment) { return UniqueFd(::fcntl(segment.fd(), F_DUPFD_CLOEXEC, 0)); }

std::string refusal(UniqueFd fd) {
  std::string error;
  CHECK(!Segment::attach(std::move(fd), error));
  return error;
}

}  // namespace

TEST_CASE("a new segment is empty and another process's mapping shows the same memory") {
  Segment master = Segment::create();
  std::string error;
  auto router = Segment::attach(copy_of(master), error);
  REQUIRE_MESSAGE(router, error);
  CHECK((*router)->base[0].requests == 0);
  CHECK((*router)->workers[kWorkers - 1].sockets.acquire(2, 1));
  CHECK(!master->workers[kWorkers - 1].sockets.acquire(0, 1));
  CHECK((::fcntl(master.fd(), F_GETFD) & FD_CLOEXEC) != 0);
}

TEST_CASE("a router refuses a segment with a different layout") {
  Segment master = Segment::create();
  master->header.layout = kLayout + 1;
  CHECK(refusal(copy_of(master)) == "the shared segment has layout 14, this program needs 13");
  master->header.layout = kLayout;
  master->header.row_bytes = 8;
  CHECK(refusal(copy_of(master)).find("sizes in the shared segment differ") != std::string::npos);
  master->header.magic = 0;
  CHECK(refusal(copy_of(master)).find("magic") != std::string::npos);
}

TEST_CASE("a router refuses a segment that is too small, and a descriptor that is not a file") {
  UniqueFd small(::memfd_create("small", MFD_CLOEXEC));
  REQUIRE(::ftruncate(small.get(), 4096) == 0);
  CHECK(refusal(std::move(small)).find("smaller") != std::string::npos);
  CHECK(refusal(UniqueFd()).find("Bad file descriptor") != std::string::npos);
  UniqueFd read_only(::open("/dev/zero", O_RDONLY | O_CLOEXEC));
  CHECK(refusal(std::move(read_only)).find("smaller") != std::string::npos);
}

TEST_CASE("the segment cannot be shrunk under a running router") {
  Segment master = Segment::create();
  CHECK(::ftruncate(master.fd(), 4096) != 0);
}

TEST_CASE("forgetting a slot keeps what the judge compares") {
  Segment master = Segment::create();
  Row& dead = writable_row(*master, 1, 0, 3);
  dead.requests = 5;
  dead.failing_users = 2;
  dead.reset_users = 1;
  dead.timed_out_users = 3;
  dead.users_uncounted = 4;
  dead.samples[17] = 6;
  master.forget(1);
  const Row& base = master->base[3];
  CHECK(dead.failing_users == 0);
  CHECK(base.failing_users == 2);
  CHECK(base.reset_users == 1);
  CHECK(base.timed_out_users == 3);
  CHECK(base.users_uncounted == 4);
  CHECK(base.samples[17] == 6);
}

TEST_CASE("forgetting a slot keeps its spills, and forgets for which workers it waits") {
  Segment master = Segment::create();
  master->workers[3].awaited[0] = 1;
  master->workers[3].awaited[1] = 32;
  writable_row(*master, 1, 5, 7).affinity_spills = 2;
  master->wire[1][5].forwards_ignored = 7;
  master.forget(1);
  CHECK(master->workers[3].awaited[0] == 1);
  CHECK(master->workers[3].awaited[1] == 0);
  CHECK(master->base[7].affinity_spills == 2);
  CHECK(master->wire_base.forwards_ignored == 7);
}

TEST_CASE("forgetting a slot keeps the counts by reason") {
  Segment master = Segment::create();
  constexpr auto kClosed = static_cast<std::size_t>(Reason::upstream_closed);
  master->base[7].retries_refused[kClosed] = 1;
  writable_row(*master, 1, 5, 7).retries_refused[kClosed] = 2;
  master.forget(1);
  CHECK(master->base[7].retries_refused[kClosed] == 3);
}

TEST_CASE("forgetting a slot keeps its counters and returns its units") {
  Segment master = Segment::create();
  Row& dead = writable_row(*master, 1, 5, 7);
  Row& living = writable_row(*master, 0, 5, 7);
  dead.requests = 10;
  dead.errors = 2;
  dead.reasons[static_cast<std::size_t>(Reason::queue_full)] = 3;
  dead.duration.buckets[17] = 4;
  dead.duration.sum = 99;
  dead.in_flight = 6;
  dead.waiting = 6;
  living.requests = 1;
  living.in_flight = 1;
  master->base[7].requests = 5;
  master->connections[1] = 8;
  master->log_lost[1] = 9;
  master->log_lost_base = 1;
  constexpr auto kUpstream = static_cast<std::size_t>(Side::upstream);
  for (WireCounts* wire : {&master->wire[1][5], &master->wire[0][5], &master->wire_base}) {
    wire->refused[static_cast<std::size_t>(Reason::no_route)] = 2;
    wire->faults[kUpstream][17] = 3;
    wire->write_errors[kUpstream] = 4;
    wire->forwards_cut = 5;
    wire->forwards_unreadable = 6;
  }
  master->versions[7].waiters[1] = 32;
  REQUIRE(master->versions[7].waiting.acquire(1, 5));
  REQUIRE(master->workers[3].sockets.acquire(1, 5));
  REQUIRE(master->workers[3].tunnels.acquire(1, 5));
  REQUIRE(master->workers[3].sockets.acquire(0, 5));

  master.forget(1);

  CHECK(master->base[7].requests == 15);
  CHECK(master->base[7].errors == 2);
  CHECK(master->base[7].reasons[static_cast<std::size_t>(Reason::queue_full)] == 3);
  CHECK(master->base[7].duration.buckets[17] == 4);
  CHECK(master->base[7].duration.sum == 99);
  CHECK(master->base[7].in_flight == 0);
  CHECK(dead.requests == 0);
  CHECK(dead.in_flight == 0);
  CHECK(dead.waiting == 0);
  CHECK(living.requests == 1);
  CHECK(living.in_flight == 1);
  CHECK(master->connections[1] == 0);
  CHECK(master->log_lost[1] == 0);
  CHECK(master->log_lost_base == 10);
  CHECK(master->wire_base.refused[static_cast<std::size_t>(Reason::no_route)] == 4);
  CHECK(master->wire_base.faults[kUpstream][17] == 6);
  CHECK(master->wire_base.faults[0][17] == 0);
  CHECK(master->wire_base.write_errors[kUpstream] == 8);
  CHECK(master->wire_base.forwards_cut == 10);
  CHECK(master->wire_base.forwards_unreadable == 12);
  CHECK(master->wire[1][5].faults[kUpstream][17] == 0);
  CHECK(master->wire[0][5].faults[kUpstream][17] == 3);
  CHECK(master->versions[7].waiters[1] == 0);
  CHECK(master->versions[7].waiting.total() == 0);
  CHECK(master->workers[3].tunnels.total() == 0);
  CHECK(master->workers[3].sockets.total() == 1);
}

TEST_CASE("forgetting a slot keeps the counters of its buffers, and drops its gauges") {
  Segment master = Segment::create();
  constexpr auto kPinned = static_cast<std::size_t>(LeakKind::pinned);
  for (MemoryCounts* memory : {&master->memory[1][5], &master->memory[0][5], &master->memory_base[5]}) {
    memory->buffers[2].in_use = memory->buffers[2].kept = memory->buffers[2].high_water = 16'384;
    memory->buffers[2].released = 7;
    memory->buffers[2].refused = 8;
    memory->leaks[kPinned] = 9;
  }
  master->memory_base[5].buffers[2].in_use = 0;

  master.forget(1);

  CHECK(master->memory_base[5].buffers[2].released == 14);
  CHECK(master->memory_base[5].buffers[2].refused == 16);
  CHECK(master->memory_base[5].leaks[kPinned] == 18);
  CHECK(master->memory_base[5].buffers[2].in_use == 0);
  CHECK(master->memory[1][5].buffers[2].kept == 0);
  CHECK(master->memory[0][5].buffers[2].kept == 16'384);
}

TEST_CASE("forgetting a slot twice counts nothing twice") {
  Segment master = Segment::create();
  writable_row(*master, 2, 0, 0).requests = 4;
  master.forget(2);
  master.forget(2);
  CHECK(master->base[0].requests == 4);
}

TEST_CASE("the memory of a forgotten slot is returned to the system") {
  Segment master = Segment::create();
  writable_row(*master, 2, 31, 63).requests = 4;
  master.forget(2);
  struct stat info{};
  REQUIRE(::fstat(master.fd(), &info) == 0);
  CHECK(info.st_blocks * 512 < (2 << 20));
}

TEST_CASE("to read a version allocates the rows that threads have written, and its base") {
  Segment master = Segment::create();
  const auto allocated = [&master] {
    struct stat info{};
    REQUIRE(::fstat(master.fd(), &info) == 0);
    return info.st_blocks * 512;
  };
  const auto read_all = [&master] {
    for (std::uint32_t row = 0; row < kVersions; ++row) {
      (void)sum(*master, row);
      (void)sum(*master, row, &Row::duration);
      (void)sum_samples(*master, row);
    }
  };
  constexpr long kCounters = 2 * 4096;  // the counters of a row may lie on two pages
  const long before = allocated();
  read_all();
  CHECK(allocated() - before <= kVersions * kCounters);
  for (std::uint32_t row = 0; row < kVersions; ++row) writable_row(*master, 1, 31, row).in_flight = 0;
  read_all();
  CHECK(allocated() - before <= 2 * kVersions * kCounters);
}

TEST_CASE("a row that was cleared is still read: its thread announces it once") {
  Segment master = Segment::create();
  Row& row = writable_row(*master, 2, 7, 5);
  row.requests = 3;
  master.clear_version(5);
  CHECK(sum(*master, 5).requests == 0);
  row.requests = 4;
  CHECK(sum(*master, 5).requests == 4);
}

TEST_CASE("a version row or worker cell with a new owner starts at zero, and its neighbours are unchanged") {
  Segment master = Segment::create();
  for (const std::uint32_t row : {3u, 4u, 5u}) {
    writable_row(*master, 0, 0, row).requests = 7;
    writable_row(*master, 3, 31, row).bytes_out = 7;
    master->base[row].requests = 7;
    REQUIRE(master->versions[row].waiting.acquire(0, 9));
    REQUIRE(master->workers[row].sockets.acquire(0, 9));
  }
  master.clear_version(4);
  master.clear_worker(4);
  CHECK(writable_row(*master, 0, 0, 4).requests == 0);
  CHECK(writable_row(*master, 3, 31, 4).bytes_out == 0);
  CHECK(master->base[4].requests == 0);
  CHECK(master->versions[4].waiting.total() == 0);
  CHECK(master->workers[4].sockets.total() == 0);
  for (const std::uint32_t row : {3u, 5u}) {
    CHECK(writable_row(*master, 0, 0, row).requests == 7);
    CHECK(writable_row(*master, 3, 31, row).bytes_out == 7);
    CHECK(master->base[row].requests == 7);
    CHECK(master->versions[row].waiting.total() == 1);
    CHECK(master->workers[row].sockets.total() == 1);
  }
}

TEST_CASE("a segment can be moved") {
  Segment first = Segment::create();
  first->base[0].requests = 3;
  Segment second = std::move(first);
  Segment third = Segment::create();
  third = std::move(second);
  CHECK(third->base[0].requests == 3);
}

TEST_CASE("forgetting a slot, and returning a unit, wakes the threads that wait for units") {
  Segment master = Segment::create();
  std::string error;
  auto router = Segment::attach(copy_of(master), error, UniqueFd(::fcntl(master.freed(), F_DUPFD_CLOEXEC, 0)));
  REQUIRE_MESSAGE(router, error);
  const auto told = [&] {
    std::uint64_t times = 0;
    return ::read(router->freed(), &times, sizeof times) == sizeof times ? times : 0;
  };
  CHECK(told() == 0);
  master.forget(2);
  CHECK(told() == 1);
  router->tell_freed();
  master.tell_freed();
  CHECK(told() == 2);
  CHECK((::fcntl(master.freed(), F_GETFD) & FD_CLOEXEC) != 0);
}
