#include "config/settings/limits.hpp"

#include <doctest/doctest.h>

#include "config/base/archive.hpp"

using namespace gray;

namespace {

nlohmann::json written(Limits limits) {
  Save save;
  limits.archive(save);
  return save.take();
}

Limits read_back(const nlohmann::json& json) {
  Limits limits;
  Load load(json);
  limits.archive(load);
  return limits;
}

}  // namespace

TEST_CASE("limits are restored exactly, whichever of them differs from its default") {
  const nlohmann::json defaults = written(Limits{});
  CHECK(defaults.size() == 15);
  CHECK(read_back(defaults) == Limits{});
  for (const auto& [name, value] : defaults.items()) {
    nlohmann::json changed = defaults;
    if (value.is_boolean()) {
      changed[name] = !value.get<bool>();
    } else {
      changed[name] = value.get<std::uint64_t>() + 1;
    }
    const Limits limits = read_back(changed);
    CHECK(limits != Limits{});
    CHECK(written(limits) == changed);
  }
}

TEST_CASE("a limit that is missing, negative, too large or not a number is named") {
  const nlohmann::json defaults = written(Limits{});
  for (const auto& [name, value] : defaults.items()) {
    for (const nlohmann::json& wrong :
         {nlohmann::json(-1), nlohmann::json("1"), nlohmann::json(1.5), nlohmann::json()}) {
      nlohmann::json changed = defaults;
      changed[name] = wrong;
      CHECK_THROWS_WITH_AS(read_back(changed), doctest::Contains(name.c_str()), JsonMismatch);
    }
    nlohmann::json shorter = defaults;
    shorter.erase(name);
    CHECK_THROWS_WITH_AS(read_back(shorter), ("\"" + name + "\" is missing").c_str(), JsonMismatch);
  }
  nlohmann::json large = defaults;
  large["fields"] = 1ull << 32;
  CHECK_THROWS_AS(read_back(large), JsonMismatch);
}
