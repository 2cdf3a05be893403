#include "control/grayctl/memory/memory_diff.hpp"

#include <algorithm>
#include <initializer_list>
#include <string>

namespace gray::control {
namespace {

using nlohmann::json;

using Names = std::initializer_list<const char*>;

std::int64_t whole(const json& object, const char* name) {
  const auto found = object.find(name);
  return found != object.end() && found->is_number() ? found->get<std::int64_t>() : 0;
}

bool same(const json& one, const json& other, Names key) {
  return std::ranges::all_of(key,
                             [&](const char* name) { return one.value(name, json()) == other.value(name, json()); });
}

const json* partner(const json& list, const json& one, Names key) {
  const auto found = std::ranges::find_if(list, [&](const json& other) { return same(one, other, key); });
  return found == list.end() ? nullptr : &*found;
}

void compare(json& later, const json& earlier, Names key) {
  static const json kNothing = json::object();
  for (json& one : later) {
    const json* before = partner(earlier, one, key);
    for (const std::string name : {"count", "bytes"})
      one[name + "_change"] = whole(one, name.c_str()) - whole(before ? *before : kNothing, name.c_str());
  }
  for (const json& gone : earlier) {
    if (partner(later, gone, key) != nullptr) continue;
    json one = gone;
    for (const std::string name : {"count", "bytes"}) {
      one[name] = 0;
      one[name + "_change"] = -whole(gone, name.c_str());
    }
    later.push_back(std::move(one));
  }
}

}  // namespace

void add_changes(json& later, const json& earlier, int seconds) {
  later["seconds"] = seconds;
  for (const std::string name : {"rss", "accounted", "kernel"})
    later[name + "_change_bytes"] = whole(later, (name + "_bytes").c_str()) - whole(earlier, (name + "_bytes").c_str());
  compare(later["owners"], earlier.at("owners"), {"owner", "service", "version"});
  compare(later["leaks"], earlier.at("leaks"), {"site", "held_by"});
}

}  // namespace gray::control
