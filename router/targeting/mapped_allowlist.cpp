#include "router/targeting/mapped_allowlist.hpp"

#include <sys/mman.h>

#include <cstddef>

namespace gray::targeting {
namespace {

struct Mapping {
  Mapping(void* start, std::size_t size, std::uint64_t slots)
      : at(start),
        bytes(size),
        table({reinterpret_cast<const std::uint64_t*>(static_cast<const char*>(start) + sizeof(AllowlistHead)),
               static_cast<std::size_t>(slots)}) {}
  Mapping(const Mapping&) = delete;
  Mapping& operator=(const Mapping&) = delete;
  ~Mapping() { ::munmap(at, bytes); }

  void* at;
  std::size_t bytes;
  AllowlistTable table;
};

}  // namespace

std::shared_ptr<const AllowlistTable> map_allowlist(int fd, std::uint64_t slots, Pages pages) {
  const std::size_t bytes = Allowlist::bytes_of(slots);
  const int flags = MAP_SHARED | (pages == Pages::at_once ? MAP_POPULATE : 0);
  void* at = ::mmap(nullptr, bytes, PROT_READ, flags, fd, 0);
  if (at == MAP_FAILED) return nullptr;
  const auto mapping = std::make_shared<const Mapping>(at, bytes, slots);
  return {mapping, &mapping->table};
}

}  // namespace gray::targeting
