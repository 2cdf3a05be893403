#include "config/base/archive.hpp"

#include <doctest/doctest.h>

#include <sys/stat.h>

#include "config/base/address.hpp"
#include "config/base/time.hpp"

using namespace gray;

namespace {

enum class Colour : std::uint8_t { red, green };
constexpr Colour last_value(Colour) { return Colour::green; }

struct Inner {
  std::string text;
  std::optional<TimePoint> when;
  bool operator==(const Inner&) const = default;
  template <class Io>
  void archive(Io& io) {
    io("text", text);
    io("when", when);
  }
};

struct Outer {
  int negative = -5;
  std::uint64_t large = ~0ull;
  double real = 0.1;
  bool flag = true;
  Colour colour = Colour::green;
  Duration span{1'234};
  Address address = *Address::parse("[::1]:80");
  std::vector<Inner> list;
  std::map<unsigned, Inner> map;
  std::pair<std::string, bool> pair;
  UniqueFd fd;

  template <class Io>
  void archive(Io& io) {
    io("negative", negative);
    io("large", large);
    io("real", real);
    io("flag", flag);
    io("colour", colour);
    io("span", span);
    io("address", address);
    io("list", list);
    io("map", map);
    io("pair", pair);
    io("fd", fd);
  }
};

std::string all_bytes() {
  std::string bytes;
  for (int byte = 0; byte < 256; ++byte) bytes.push_back(static_cast<char>(byte));
  return bytes;
}

bool close_on_exec(int fd) { return (::fcntl(fd, F_GETFD) & FD_CLOEXEC) != 0; }

}  // namespace

TEST_CASE("saved objects are loaded again from text") {
  Outer before;
  before.list = {{all_bytes(), std::nullopt}, {"", Clock::now()}};
  before.map[7] = {"seven", std::nullopt};
  before.pair = {"x", false};
  before.fd.reset(::open("/dev/null", O_RDONLY));
  REQUIRE(before.fd);
  const int number = before.fd.get();

  Save save;
  before.archive(save);
  CHECK(save.fds() == std::set<int>{number});
  const auto json = nlohmann::json::parse(save.take().dump());

  before.fd.release();  // as an exec would leave it open
  Outer after;
  after.negative = 0;
  Load load(json, {number});
  after.archive(load);
  CHECK(after.negative == -5);
  CHECK(after.large == ~0ull);
  CHECK(after.real == 0.1);
  CHECK(after.colour == Colour::green);
  CHECK(after.span == Duration{1'234});
  CHECK(after.address == before.address);
  CHECK(after.list == before.list);
  CHECK(after.map == before.map);
  CHECK(after.pair == before.pair);
  CHECK(after.fd.get() == number);
  CHECK(close_on_exec(number));
  CHECK(load.left().empty());
}

TEST_CASE("a descriptor is taken only if it was handed over, and once") {
  UniqueFd null(::open("/dev/null", O_RDONLY | O_CLOEXEC));
  const nlohmann::json json = {{"a", null.get()}, {"b", null.get()}, {"closed", -1}};
  UniqueFd taken;
  Load none(json, std::set<int>{});
  CHECK_THROWS_AS(none("a", taken), JsonMismatch);
  Load one(json, std::set<int>{null.get()});
  one("a", taken);
  CHECK(taken.get() == null.get());
  UniqueFd again;
  CHECK_THROWS_AS(one("b", again), JsonMismatch);
  one("closed", again);
  CHECK_FALSE(again);
  null.release();
}

namespace {

/// Has no default constructor.
struct Rooted {
  explicit Rooted(Restored) {}
  explicit Rooted(int number) : root(number) {}
  int root = 0;
  std::string leaf;
  template <class Io>
  void archive(Io& io) {
    io("leaf", leaf);
    io.check("leaf", leaf != "bad");
  }
};

struct Forest {
  std::optional<Rooted> plain;
  std::unique_ptr<Rooted> owned, missing;
  std::map<std::pair<std::string, int>, std::unique_ptr<Rooted>> map;
  std::deque<Rooted> queue;
  std::list<int> list;
  std::set<std::string> set;

  template <class Io>
  void archive(Io& io) {
    io("plain", plain);
    io("owned", owned, [] { return std::make_unique<Rooted>(7); });
    io("missing", missing, [] { return std::make_unique<Rooted>(7); });
    io("map", map, [](const auto& key) { return std::make_unique<Rooted>(key.second); });
    io("queue", queue, [] { return Rooted(9); });
    io("list", list);
    io("set", set);
  }
};

Forest planted() {
  Forest forest;
  forest.plain.emplace(1).leaf = "plain";
  forest.owned = std::make_unique<Rooted>(1);
  forest.owned->leaf = "owned";
  forest.map[{"a", 5}] = std::make_unique<Rooted>(1);
  forest.map[{"a", 5}]->leaf = "mapped";
  forest.queue.emplace_back(1).leaf = "queued";
  forest.list = {1, 2};
  forest.set = {"x", "y"};
  return forest;
}

nlohmann::json saved(Forest forest) {
  Save save;
  forest.archive(save);
  return save.take();
}

void load(const nlohmann::json& json, Forest& forest) {
  Load from(json, std::set<int>{});
  forest.archive(from);
}

}  // namespace

TEST_CASE("a member with constructor arguments is made by the function in the list, or resumed, and then filled") {
  const auto json = saved(planted());
  Forest after;
  after.missing = std::make_unique<Rooted>(1);
  load(json, after);
  CHECK(after.plain->root == 0);
  CHECK(after.plain->leaf == "plain");
  CHECK(after.owned->root == 7);
  CHECK(after.owned->leaf == "owned");
  CHECK_FALSE(after.missing);
  CHECK(after.map.at({"a", 5})->root == 5);
  CHECK(after.map.at({"a", 5})->leaf == "mapped");
  CHECK(after.queue.at(0).root == 9);
  CHECK(after.queue.at(0).leaf == "queued");
  CHECK(after.list == std::list<int>{1, 2});
  CHECK(after.set == std::set<std::string>{"x", "y"});
}

TEST_CASE("input must satisfy the conditions of its class, and maps and sets have each key once") {
  auto json = saved(planted());
  Forest after;
  json["owned"][0]["leaf"] = "bad";
  CHECK_THROWS_WITH_AS(load(json, after), doctest::Contains("leaf"), JsonMismatch);
  CHECK(after.plain->leaf == "plain");  // fields that were already read keep their values
  json = saved(planted());
  json["map"].push_back(json["map"][0]);
  CHECK_THROWS_WITH_AS(load(json, after), doctest::Contains("map"), JsonMismatch);
  json = saved(planted());
  json["set"] = {"x", "x"};
  CHECK_THROWS_WITH_AS(load(json, after), doctest::Contains("set"), JsonMismatch);
}

TEST_CASE("a missing or out-of-range field is refused by name") {
  const nlohmann::json json = {{"small", 300}, {"sign", -1}, {"text", 5}, {"flag", 1}, {"list", 5}};
  Load load(json, std::set<int>{});
  std::uint8_t small = 0;
  unsigned sign = 0;
  std::string text;
  bool flag = false;
  std::vector<int> list;
  CHECK_THROWS_WITH_AS(load("small", small), doctest::Contains("small"), JsonMismatch);
  CHECK_THROWS_WITH_AS(load("sign", sign), doctest::Contains("sign"), JsonMismatch);
  CHECK_THROWS_WITH_AS(load("text", text), doctest::Contains("text"), JsonMismatch);
  CHECK_THROWS_WITH_AS(load("flag", flag), doctest::Contains("flag"), JsonMismatch);
  CHECK_THROWS_WITH_AS(load("list", list), doctest::Contains("list"), JsonMismatch);
  CHECK_THROWS_WITH_AS(load("nothing", list), doctest::Contains("nothing"), JsonMismatch);
}

TEST_CASE("an unknown field is refused, not ignored") {
  Inner inner{"text", {}};
  Save save;
  save("inner", inner);
  auto state = save.take();
  state["inner"]["colour"] = 1;
  Load load(state, std::set<int>{});
  CHECK_THROWS_WITH_AS(load("inner", inner), "\"inner\" has a field that is not known here", JsonMismatch);
}

TEST_CASE("an enum, a duration and a time are refused outside the range in which calculations are safe") {
  const std::int64_t most = std::numeric_limits<std::int64_t>::max();
  const nlohmann::json json = {{"past", 2}, {"below", -1}, {"long", most}, {"unsigned", ~0ull}};
  Load load(json, std::set<int>{});
  Colour colour = Colour::red;
  Duration span{0};
  TimePoint when;
  std::int64_t number = 0;
  CHECK_THROWS_AS(load("past", colour), JsonMismatch);
  CHECK_THROWS_AS(load("below", colour), JsonMismatch);
  CHECK_THROWS_AS(load("long", span), JsonMismatch);
  CHECK_THROWS_AS(load("long", when), JsonMismatch);
  CHECK_THROWS_AS(load("unsigned", number), JsonMismatch);
  CHECK_NOTHROW(load("long", number));
  CHECK(number == most);
}

namespace {

enum class Side : std::uint8_t { left, right };
constexpr Side last_value(Side) { return Side::right; }
constexpr const char* name_of(Side side) { return side == Side::left ? "left" : "right"; }

/// The kinds of values in JSON for other programs.
struct Public {
  Side side = Side::right;
  Cidr network = *Cidr::parse("10.0.0.0/8");
  std::map<std::string, double> weights = {{"v2", 5}};
  template <class Io>
  void archive(Io& io) {
    io("side", side);
    io("network", network);
    io("weights", weights);
    io.check("weights", weights.empty() || weights.begin()->second <= 100, "an object of numbers up to 100");
  }
};

std::string problem(const char* text) {
  try {
    unarchived<Public>(text);
  } catch (const JsonMismatch& mismatch) {
    return mismatch.what();
  }
  return {};
}

}  // namespace

TEST_CASE("a type with text() is written as text, a map with text keys as an object") {
  CHECK(archived_text(Public{}) == R"({"network":"10.0.0.0/8","side":"right","weights":{"v2":5.0}})");
  CHECK(unarchived<Public>(archived_text(Public{})).weights == Public{}.weights);
  CHECK(problem(R"({"side":"left","network":"x","weights":{}})") == "\"network\" is not understood");
  CHECK(problem(R"({"side":"left","network":"::/0","weights":[]})") == "\"weights\" is not an object");
  CHECK(problem(R"({"side":"left","network":"::/0","weights":{"v2":101}})") ==
        "\"weights\" is not an object of numbers up to 100");
  CHECK(problem(R"({"side":"left","network":"::/0","weights":{},"more":1})") ==
        "\"it\" has a field that is not known here");
  CHECK(problem(R"({"side":"up","network":"::/0","weights":{}})") == "\"side\" is not a known name");
  CHECK(problem("[]") == "it is not a JSON object");
}

TEST_CASE("a lenient reader keeps defaults and ignores unknown fields") {
  const auto json = nlohmann::json::parse(R"({"weights":{"v3":1},"later":[1]})");
  Public loaded;
  auto load = Load::lenient(json);
  loaded.archive(load);
  CHECK(loaded.network == Public{}.network);
  CHECK(loaded.weights == std::map<std::string, double>{{"v3", 1}});
}

TEST_CASE("a shape names every field and its type, also for elements of empty containers") {
  Outer outer;
  const nlohmann::json inner = {{"text", "text"}, {"when", {"optional", "monotonic time in 1/1000000000 s"}}};
  CHECK(Save::shape_of(outer) == nlohmann::json{{"negative", "int32"},
                                                {"large", "uint64"},
                                                {"real", "float64"},
                                                {"flag", "bool"},
                                                {"colour", "enum up to 1"},
                                                {"span", "int64 in 1/1000 s"},
                                                {"address", "parsed text"},
                                                {"list", {"list", inner}},
                                                {"map", {"map", "uint32", inner}},
                                                {"pair", {"pair", "text", "bool"}},
                                                {"fd", "descriptor"}});
  std::set<Side> sides;
  CHECK(Save::shape_of(sides) == nlohmann::json{"set", "enum left right"});
}
