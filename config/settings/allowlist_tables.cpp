#include "config/settings/allowlist_tables.hpp"

#include <unistd.h>

#include <cstdint>

namespace gray {

void keep_equal_tables(Settings& fresh, const Settings& old) {
  for (ServiceSettings& service : fresh.services) {
    const ServiceSettings* before = old.service(service.name);
    if (before == nullptr || !before->allowlist_source.table) continue;
    const bool equal =
        service.allowlist.count == before->allowlist.count && service.allowlist.digest == before->allowlist.digest;
    if (equal && service.allowlist_source.table) service.allowlist_source.table = before->allowlist_source.table;
  }
}

bool is_listed(const Allowlist& list, std::string_view id) {
  const std::uint64_t hash = allowlist_hash(id);
  const std::uint64_t slots = (list.bytes() - sizeof(AllowlistHead)) / sizeof hash;
  for (std::uint64_t at = hash % slots, found = 0;; at = (at + 1) % slots) {
    const auto place = static_cast<off_t>(Allowlist::bytes_of(at));
    if (::pread(list.fd(), &found, sizeof found, place) != sizeof found || found == 0) return false;
    if (found == hash) return true;
  }
}

}  // namespace gray
