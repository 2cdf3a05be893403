// The memory behind the segment is sparse: an untouched page uses no memory. So cleared rows are punched out of the
// memfd instead of being overwritten: they read as zero, and their pages are freed.
#include "config/shared/segment.hpp"

#include <fcntl.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

#include "config/base/archive.hpp"

namespace gray::segment {
namespace {

constexpr std::uint32_t kTotalMib = static_cast<std::uint32_t>(sizeof(Layout) >> 20);

Layout* map(int fd) {
  void* memory = ::mmap(nullptr, sizeof(Layout), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  return memory == MAP_FAILED ? nullptr : static_cast<Layout*>(memory);
}

[[noreturn]] void fail(const char* what) { throw std::system_error(errno, std::generic_category(), what); }

void add(std::atomic<std::uint64_t>& base, const std::atomic<std::uint64_t>& dead) {
  if (const auto counted = dead.load(std::memory_order_relaxed); counted != 0)
    base.fetch_add(counted, std::memory_order_relaxed);
}

template <std::size_t N>
void add(std::atomic<std::uint64_t> (&base)[N], const std::atomic<std::uint64_t> (&dead)[N]) {
  for (std::size_t i = 0; i < N; ++i) add(base[i], dead[i]);
}

void add(Histogram& base, const Histogram& dead) {
  add(base.buckets, dead.buckets);
  add(base.sum, dead.sum);
}

/// Counters only: the requests that a dead thread had in flight or waiting are gone.
void fold(Row& base, const Row& dead) {
  add(base.requests, dead.requests);
  add(base.errors, dead.errors);
  add(base.status_class, dead.status_class);
  add(base.reasons, dead.reasons);
  add(base.decisions, dead.decisions);
  add(base.retries, dead.retries);
  add(base.retries_refused, dead.retries_refused);
  add(base.asset_retries, dead.asset_retries);
  add(base.affinity_spills, dead.affinity_spills);
  add(base.bytes_in, dead.bytes_in);
  add(base.bytes_out, dead.bytes_out);
  add(base.connects, dead.connects);
  add(base.connect_errors, dead.connect_errors);
  add(base.failing_users, dead.failing_users);
  add(base.reset_users, dead.reset_users);
  add(base.timed_out_users, dead.timed_out_users);
  add(base.users_uncounted, dead.users_uncounted);
  add(base.duration, dead.duration);
  add(base.waited, dead.waited);
  for (std::size_t i = 0; i < kHistogramBuckets; ++i)
    base.samples[i].fetch_add(dead.samples[i].load(std::memory_order_relaxed), std::memory_order_relaxed);
}

void fold(WireCounts& base, const WireCounts& dead) {
  add(base.refused, dead.refused);
  for (std::size_t side = 0; side < kSides; ++side) add(base.faults[side], dead.faults[side]);
  add(base.write_errors, dead.write_errors);
  add(base.forwards_cut, dead.forwards_cut);
  add(base.handshakes, dead.handshakes);
  add(base.handshake_failures, dead.handshake_failures);
  add(base.forwards_unreadable, dead.forwards_unreadable);
  add(base.forwards_ignored, dead.forwards_ignored);
}

/// Counters only: the buffers of a dead thread are gone.
void fold(MemoryCounts& base, const MemoryCounts& dead) {
  for (std::size_t i = 0; i < kBufferClasses; ++i) {
    add(base.buffers[i].released, dead.buffers[i].released);
    add(base.buffers[i].refused, dead.buffers[i].refused);
  }
  add(base.leaks, dead.leaks);
}

std::string header_problem(const Header& header) {
  if (header.magic != kMagic) return "the shared segment has a wrong magic number";
  if (header.layout != kLayout)
    return "the shared segment has layout " + std::to_string(header.layout) + ", this program needs " +
           std::to_string(kLayout);
  if (header.header_bytes != sizeof(Header) || header.row_bytes != sizeof(Row) || header.total_mib != kTotalMib)
    return "the sizes in the shared segment differ from this program's: build master and router from the same source";
  return {};
}

}  // namespace

static_assert(kThreads <= 32, "one bit of Layout::writers per thread");

Row& writable_row(Layout& layout, std::uint32_t slot, std::uint32_t thread, std::uint32_t version_row) {
  layout.writers[version_row][slot].fetch_or(1u << thread, std::memory_order_release);
  return layout.rows[slot][thread][version_row];
}

Segment Segment::create() {
  UniqueFd fd(::memfd_create("grayd-segment", MFD_CLOEXEC | MFD_ALLOW_SEALING));
  if (!fd) fail("cannot create the shared segment");
  if (::ftruncate(fd.get(), sizeof(Layout)) != 0) fail("cannot set the size of the shared segment");
  // A shrunken memfd would turn every access into SIGBUS.
  if (::fcntl(fd.get(), F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW) != 0) fail("cannot seal the shared segment's size");
  Layout* layout = map(fd.get());
  if (layout == nullptr) fail("cannot map the shared segment");
  layout->header.layout = kLayout;
  layout->header.header_bytes = sizeof(Header);
  layout->header.row_bytes = sizeof(Row);
  layout->header.total_mib = kTotalMib;
  layout->header.magic = kMagic;
  UniqueFd freed(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!freed) fail("cannot create the eventfd of the shared segment");
  return Segment(std::move(fd), std::move(freed), layout);
}

std::optional<Segment> Segment::attach(UniqueFd fd, std::string& error, UniqueFd freed) {
  struct stat info{};
  if (::fstat(fd.get(), &info) != 0) {
    error = "cannot read the shared segment: " + std::generic_category().message(errno);
    return std::nullopt;
  }
  if (info.st_size < static_cast<off_t>(sizeof(Layout))) {
    error = "the shared segment is smaller than this program's layout";
    return std::nullopt;
  }
  Layout* layout = map(fd.get());
  if (layout == nullptr) {
    error = "cannot map the shared segment: " + std::generic_category().message(errno);
    return std::nullopt;
  }
  Segment segment(std::move(fd), std::move(freed), layout);
  error = header_problem(layout->header);
  if (!error.empty()) return std::nullopt;
  return segment;
}

Segment::Segment(Segment&& other) noexcept
    : fd_(std::move(other.fd_)), freed_(std::move(other.freed_)), layout_(std::exchange(other.layout_, nullptr)) {}

Segment& Segment::operator=(Segment&& other) noexcept {
  std::swap(fd_, other.fd_);
  std::swap(freed_, other.freed_);
  std::swap(layout_, other.layout_);
  return *this;
}

Segment::~Segment() {
  if (layout_ != nullptr) ::munmap(layout_, sizeof(Layout));
}

void Segment::zero(const void* begin, std::size_t bytes) {
  const auto offset = static_cast<const char*>(begin) - reinterpret_cast<const char*>(layout_);
  const int mode = FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE;
  if (::fallocate(fd_.get(), mode, offset, static_cast<off_t>(bytes)) != 0)
    fail("cannot clear rows of the shared segment");
}

void Segment::tell_freed() const {
  const std::uint64_t one = 1;
  (void)!::write(freed_.get(), &one, sizeof one);
}

void Segment::forget(std::uint32_t slot) {
  for (WorkerCell& worker : layout_->workers) {
    worker.sockets.forget(slot);
    worker.tunnels.forget(slot);
    worker.awaited[slot].store(0, std::memory_order_release);
  }
  for (VersionCell& version : layout_->versions) {
    version.waiting.forget(slot);
    version.slow.forget(slot);
    version.waiters[slot].store(0, std::memory_order_release);
  }
  tell_freed();
  for (std::uint32_t row = 0; row < kVersions; ++row) {
    for_each_written(*layout_, slot, row, [&](const Row& dead) { fold(layout_->base[row], dead); });
    layout_->writers[row][slot].store(0, std::memory_order_relaxed);
  }
  zero(&layout_->rows[slot], sizeof(layout_->rows[slot]));
  layout_->connections[slot].store(0, std::memory_order_relaxed);
  const std::uint64_t lost = layout_->log_lost[slot].exchange(0, std::memory_order_relaxed);
  layout_->log_lost_base.fetch_add(lost, std::memory_order_relaxed);
  for (const WireCounts& thread : layout_->wire[slot]) fold(layout_->wire_base, thread);
  zero(&layout_->wire[slot], sizeof(layout_->wire[slot]));
  for (std::uint32_t thread = 0; thread < kThreads; ++thread)
    fold(layout_->memory_base[thread], layout_->memory[slot][thread]);
  zero(&layout_->memory[slot], sizeof(layout_->memory[slot]));
}

// The bits in `writers` stay: a thread announces a row once, whichever version has it.
void Segment::clear_version(std::uint32_t row) {
  zero(&layout_->versions[row], sizeof(VersionCell));
  zero(&layout_->base[row], sizeof(Row));
  for (std::uint32_t slot = 0; slot < kRouterSlots; ++slot)
    for_each_written(*layout_, slot, row, [this](const Row& written) { zero(&written, sizeof written); });
}

void Segment::clear_worker(std::uint32_t cell) { zero(&layout_->workers[cell], sizeof(WorkerCell)); }

template <class Io>
void Segment::archive(Io& io) {
  UniqueFd fd(fd_.release());
  io("fd", fd);
  io("freed", freed_);
  if constexpr (Io::kLoads) {
    std::string error;
    auto attached = attach(std::move(fd), error, std::move(freed_));
    if (!attached) throw JsonMismatch(error);
    *this = std::move(*attached);
  } else {
    fd_ = std::move(fd);
  }
}
template void Segment::archive(Save&);
template void Segment::archive(Load&);

}  // namespace gray::segment
