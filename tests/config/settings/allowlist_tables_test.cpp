#include "config/settings/allowlist_tables.hpp"

#include <doctest/doctest.h>

using namespace gray;

namespace {

Settings with_users(const std::vector<std::uint64_t>& hashes) {
  Settings settings;
  ServiceSettings& service = settings.services.emplace_back();
  service.name = "web";
  service.allowlist_source.table = std::make_shared<const Allowlist>(hashes);
  service.allowlist.count = service.allowlist_source.table->count();
  service.allowlist.digest = service.allowlist_source.table->digest();
  return settings;
}

const Allowlist* table_in(const Settings& settings) { return settings.services[0].allowlist_source.table.get(); }

}  // namespace

TEST_CASE("equal users keep their table") {
  const auto old = with_users({5, 6});
  auto same = with_users({6, 5}), other = with_users({5, 7}), none = Settings{};
  keep_equal_tables(same, old);
  CHECK(table_in(same) == table_in(old));
  const auto* before = table_in(other);
  keep_equal_tables(other, old);
  CHECK(table_in(other) == before);
  keep_equal_tables(other, none);
  CHECK(table_in(other) == before);
  none.services.emplace_back().name = "web";
  keep_equal_tables(none, old);
  CHECK(table_in(none) == nullptr);
}

TEST_CASE("an id is looked up without a mapping") {
  std::vector<std::uint64_t> hashes;
  for (int i = 0; i < 1'000; ++i) hashes.push_back(allowlist_hash("user-" + std::to_string(i)));
  const Allowlist list(hashes);
  for (int i = 0; i < 2'000; ++i) CHECK(is_listed(list, "user-" + std::to_string(i)) == (i < 1'000));
}
