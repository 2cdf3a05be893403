#include "grayd/handoff/allowlists.hpp"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <unistd.h>

#include "config/base/archive.hpp"

using namespace gray;
using namespace gray::master;
using nlohmann::json;

namespace {

Settings with_services(const std::vector<std::string>& names) {
  Settings settings;
  for (const std::string& name : names) settings.services.emplace_back().name = name;
  return settings;
}

}  // namespace

TEST_CASE("the tables of all services are handed over") {
  auto settings = with_services({"api", "web"});
  const auto list = std::make_shared<const Allowlist>(std::vector<std::uint64_t>{5, 6});
  settings.services[1].allowlist_source.table = list;
  Save save;
  archive_allowlists(save, settings);
  CHECK(save.fds() == std::set<int>{list->fd()});
  CHECK(save.take() == json{{"allowlists", {{"web", {{"fd", list->fd()}}}}}});
}

TEST_CASE("a resumed image has the tables, whatever is in the files now") {
  auto settings = with_services({"api", "web"});
  settings.services[1].allowlist.version = "v2";
  const Allowlist list(std::vector<std::uint64_t>{5, 6});
  const int fd = ::dup(list.fd());
  const json state = {{"allowlists", {{"web", {{"fd", fd}}}}}};
  Load load(state, {fd});
  archive_allowlists(load, settings);
  CHECK(settings.services[1].allowlist == AllowlistRef{"v2", 2, 11});
  CHECK(settings.services[1].allowlist_source.table->fd() == fd);
  CHECK(settings.services[0].allowlist == AllowlistRef{});
  CHECK(load.left().empty());
}

TEST_CASE("what is not a table is refused, and every descriptor stays open") {
  auto settings = with_services({"api", "web"});
  const Allowlist list(std::vector<std::uint64_t>{5});
  const int good = ::dup(list.fd()), bad = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
  const json state = {{"allowlists", {{"api", {{"fd", good}}}, {"web", {{"fd", bad}}}}}};
  Load load(state, {good, bad});
  CHECK_THROWS_WITH_AS(archive_allowlists(load, settings), "web: an allowlist is not a sealed memfd", JsonMismatch);
  CHECK(::close(good) == 0);
  CHECK(::close(bad) == 0);
}
