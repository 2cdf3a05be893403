#include "control/explain/table_targets.hpp"

#include <sys/mman.h>

#include <memory>
#include <string>

namespace gray::control {
namespace {

class MappedList {
 public:
  MappedList(int fd, std::uint64_t slots)
      : bytes_(Allowlist::bytes_of(slots)), at_(::mmap(nullptr, bytes_, PROT_READ, MAP_SHARED, fd, 0)) {
    if (at_ == MAP_FAILED) return;
    const auto* first = reinterpret_cast<const std::uint64_t*>(static_cast<const char*>(at_) + sizeof(AllowlistHead));
    table_ = targeting::AllowlistTable({first, slots});
  }
  ~MappedList() {
    if (at_ != MAP_FAILED) ::munmap(at_, bytes_);
  }
  MappedList(const MappedList&) = delete;
  MappedList& operator=(const MappedList&) = delete;
  const targeting::AllowlistTable& table() const { return table_; }

 private:
  std::size_t bytes_;
  void* at_;
  targeting::AllowlistTable table_;
};

}  // namespace

targeting::Targets targets_of(const ServiceRoute& route, const Allowlist* list) {
  targeting::Targets targets;
  if (!route.rules.empty()) targets.rules = std::make_shared<const targeting::RuleIndex>(route.rules);
  if (list == nullptr || route.allowlist.count == 0) return targets;
  std::string error;
  const AllowlistHead head = Allowlist::head_of(list->fd(), error);
  if (head.slots == 0) return targets;
  const auto mapped = std::make_shared<const MappedList>(list->fd(), head.slots);
  if (mapped->table()) targets.users = {mapped, &mapped->table()};
  return targets;
}

}  // namespace gray::control
