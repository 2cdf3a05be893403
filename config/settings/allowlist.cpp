#include "config/settings/allowlist.hpp"

#define XXH_INLINE_ALL
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include <xxhash.h>

#include <algorithm>
#include <bit>
#include <cerrno>
#include <span>
#include <stdexcept>
#include <system_error>

namespace gray {
namespace {

constexpr int kListSeals = F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW;

[[noreturn]] void refuse_list(const char* what) { throw std::system_error(errno, std::generic_category(), what); }

/// The table while it is being written.
class WritableTable {
 public:
  WritableTable(int fd, std::size_t bytes)
      : bytes_(bytes), at_(::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, fd, 0)) {
    if (at_ == MAP_FAILED) refuse_list("cannot map the table of an allowlist");
  }
  ~WritableTable() { ::munmap(at_, bytes_); }
  WritableTable(const WritableTable&) = delete;
  WritableTable& operator=(const WritableTable&) = delete;

  AllowlistHead& head() { return *static_cast<AllowlistHead*>(at_); }
  std::span<std::uint64_t> slots() {
    return {reinterpret_cast<std::uint64_t*>(static_cast<char*>(at_) + sizeof(AllowlistHead)),
            (bytes_ - sizeof(AllowlistHead)) / sizeof(std::uint64_t)};
  }

 private:
  std::size_t bytes_;
  void* at_;
};

/// False: it was there.
bool insert(std::span<std::uint64_t> slots, std::uint64_t hash) {
  const std::size_t mask = slots.size() - 1;
  std::size_t at = hash & mask;
  for (; slots[at] != 0; at = (at + 1) & mask)
    if (slots[at] == hash) return false;
  slots[at] = hash;
  return true;
}

}  // namespace

std::uint64_t allowlist_hash(std::string_view id) {
  const std::uint64_t hash = XXH3_64bits(id.data(), id.size());
  return hash == 0 ? 1 : hash;
}

Allowlist::Allowlist(const std::vector<std::uint64_t>& hashes)
    : fd_(::memfd_create("grayd-allowlist", MFD_CLOEXEC | MFD_ALLOW_SEALING)) {
  if (!fd_) refuse_list("cannot create the table of an allowlist");
  head_.slots = std::bit_ceil(std::max<std::uint64_t>(2, hashes.size() * 2));
  // Memory that is not there must be an error here, and not a signal at the first write.
  if (const int problem = ::posix_fallocate(fd_.get(), 0, static_cast<off_t>(bytes()))) {
    errno = problem;
    refuse_list("no memory for the table of an allowlist");
  }
  {
    WritableTable table(fd_.get(), bytes());
    for (const std::uint64_t hash : hashes) {
      if (!insert(table.slots(), hash)) continue;
      ++head_.count;
      head_.digest += hash;
    }
    table.head() = head_;
  }
  if (::fcntl(fd_.get(), F_ADD_SEALS, kListSeals | F_SEAL_SEAL) != 0) refuse_list("cannot seal an allowlist");
}

Allowlist::Allowlist(UniqueFd fd) : fd_(std::move(fd)) {
  std::string error;
  head_ = head_of(fd_.get(), error);
  if (head_.slots == 0) throw std::runtime_error(error);
}

AllowlistHead Allowlist::head_of(int fd, std::string& error) {
  struct stat facts{};
  AllowlistHead head;
  const int seals = ::fcntl(fd, F_GET_SEALS);
  if (seals < 0 || (seals & kListSeals) != kListSeals || ::fstat(fd, &facts) != 0) {
    error = "an allowlist is not a sealed memfd";
  } else if (::pread(fd, &head, sizeof head, 0) != sizeof head || head.magic != AllowlistHead::kMagic) {
    error = "an allowlist does not begin as one";
  } else if (!std::has_single_bit(head.slots) || head.slots > static_cast<std::uint64_t>(facts.st_size) ||
             bytes_of(head.slots) != static_cast<std::uint64_t>(facts.st_size) || head.count * 2 > head.slots) {
    error = "an allowlist has a wrong size";
  } else {
    return head;
  }
  return {.magic = 0};
}

}  // namespace gray
