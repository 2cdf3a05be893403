#include "grayd/handoff/handoff.hpp"

#include <doctest/doctest.h>

#include <stdexcept>

#include "config/shared/channel.hpp"

using namespace gray;
using namespace gray::master;
using nlohmann::json;

namespace {

std::string text_of(const UniqueFd& packed) { return *read_memfd(packed.get(), kMostHandoff); }

}  // namespace

TEST_CASE("a packed state can be unpacked, and is sealed") {
  const json state = {{"pid", 7}, {"text", "h\xc3\xa4"}, {"list", {1, 2.5, true}}};
  const auto packed = pack_handoff(state);
  CHECK(unpack_handoff(packed.get()) == state);
  CHECK(unpack_handoff(packed.get()) == state);  // again, by the previous image after a fallback
  CHECK(::write(packed.get(), "x", 1) < 0);
}

TEST_CASE("a state that is damaged, of a different version, or missing is refused") {
  const auto good = text_of(pack_handoff({{"pid", 7}}));
  const auto refused = [](const std::string& text) { unpack_handoff(sealed_memfd("test", text).get()); };
  refused(good);
  auto flipped = good;
  flipped.back() = ']';
  CHECK_THROWS_WITH_AS(refused(flipped), doctest::Contains("corrupt"), std::runtime_error);
  CHECK_THROWS_WITH_AS(refused(good + " "), doctest::Contains("corrupt"), std::runtime_error);
  CHECK_THROWS_WITH_AS(refused(good.substr(0, good.size() - 1)), doctest::Contains("corrupt"), std::runtime_error);
  const auto other = "grayd handoff 999" + good.substr(good.find(' ', 14));
  CHECK_THROWS_WITH_AS(refused(other), doctest::Contains("\"grayd handoff 999 "), std::runtime_error);
  CHECK_THROWS_AS(refused(""), std::runtime_error);
  CHECK_THROWS_AS(refused("nonsense"), std::runtime_error);
  CHECK_THROWS_WITH_AS(unpack_handoff(-1), doctest::Contains("is missing"), std::runtime_error);
}

TEST_CASE("a program can take over if its three numbers are equal to ours") {
  const auto ours = json::parse(handoff_numbers());
  CHECK(handoff_mismatch(handoff_numbers()).empty());
  CHECK(handoff_mismatch(handoff_numbers() + "more words\n").empty());
  for (const char* name : {"handoff", "protocol", "layout"}) {
    CAPTURE(name);
    auto other = ours;
    other[name] = 999;
    CHECK(handoff_mismatch(other.dump()).find("it uses version 999 of") == 0);
    other[name] = "1";
    CHECK(handoff_mismatch(other.dump()).find("it does not report its version") == 0);
    other.erase(name);
    CHECK(handoff_mismatch(other.dump()).find("it does not report its version") == 0);
  }
  for (const char* said : {"", "\n", "grayd 0.1.0", "[1]", "7", "{"}) {
    CHECK(handoff_mismatch(said).find("so it is not grayd, or it is an old grayd") != std::string::npos);
  }
}
