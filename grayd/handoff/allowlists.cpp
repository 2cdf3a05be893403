#include "grayd/handoff/allowlists.hpp"

#include <map>
#include <string>

#include "config/base/archive.hpp"

namespace gray::master {
namespace {

/// The descriptor of a table: borrowed when it is written, owned when it was read.
struct HandedList {
  int number = -1;

  template <class Io>
  void archive(Io& io) {
    if constexpr (Io::kLoads)
      number = io.fd("fd");
    else
      io.fd("fd", number);
  }
};
using HandedLists = std::map<std::string, HandedList>;  // by service

HandedLists lists_of(const Settings& settings) {
  HandedLists lists;
  for (const ServiceSettings& service : settings.services)
    if (const auto& table = service.allowlist_source.table) lists[service.name] = {table->fd()};
  return lists;
}

/// All are checked before one is taken: if reading fails, every descriptor must stay open for the image before.
void take_lists(const HandedLists& lists, Settings& settings) {
  for (const auto& [service, list] : lists)
    if (std::string error; Allowlist::head_of(list.number, error).slots == 0)
      throw JsonMismatch(service + ": " + error);
  for (ServiceSettings& service : settings.services) {
    const auto found = lists.find(service.name);
    if (found == lists.end()) continue;
    const auto table = std::make_shared<const Allowlist>(UniqueFd(found->second.number));
    service.allowlist.count = table->count();
    service.allowlist.digest = table->digest();
    service.allowlist_source.table = table;
  }
}

}  // namespace

template <class Io>
void archive_allowlists(Io& io, Settings& settings) {
  HandedLists lists;
  if constexpr (!Io::kLoads) lists = lists_of(settings);
  io("allowlists", lists);
  if constexpr (Io::kLoads) take_lists(lists, settings);
}
template void archive_allowlists(Save&, Settings&);
template void archive_allowlists(Load&, Settings&);

}  // namespace gray::master
