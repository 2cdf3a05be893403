#include "config/shared/limits_json.hpp"

#include <doctest/doctest.h>

#include "config/base/json_fields.hpp"

using namespace gray;

TEST_CASE("limits come back exactly, whichever of them differs from its default") {
  const nlohmann::json defaults = limits_to_json(Limits{});
  CHECK(defaults.size() == 14);
  CHECK(limits_from_json(defaults) == Limits{});
  for (const auto& [name, value] : defaults.items()) {
    nlohmann::json changed = defaults;
    changed[name] = value.get<std::uint64_t>() + 1;
    const Limits limits = limits_from_json(changed);
    CHECK(limits != Limits{});
    CHECK(limits_to_json(limits) == changed);
  }
}

TEST_CASE("a limit that is missing, negative, too large or no number is named") {
  const nlohmann::json defaults = limits_to_json(Limits{});
  for (const auto& [name, value] : defaults.items()) {
    for (const nlohmann::json& wrong :
         {nlohmann::json(-1), nlohmann::json("1"), nlohmann::json(1.5), nlohmann::json()}) {
      nlohmann::json changed = defaults;
      changed[name] = wrong;
      CHECK_THROWS_WITH_AS(limits_from_json(changed), doctest::Contains(name.c_str()), JsonMismatch);
    }
    nlohmann::json shorter = defaults;
    shorter.erase(name);
    CHECK_THROWS_WITH_AS(limits_from_json(shorter), ("\"" + name + "\" is missing").c_str(), JsonMismatch);
  }
  nlohmann::json large = defaults;
  large["fields"] = 1ull << 32;
  CHECK_THROWS_AS(limits_from_json(large), JsonMismatch);
}
