#include "control/live/event_stream.hpp"

#include <doctest/doctest.h>

#include <vector>

namespace gray::control {
namespace {

struct EventStreamRead {
  EventStreamReader reader;
  std::vector<std::string> taken;
  bool read(std::string_view bytes) {
    return reader.read(bytes, [this](std::string_view data) { taken.emplace_back(data); });
  }
};

}  // namespace

TEST_CASE_FIXTURE(EventStreamRead, "what is written is read, in pieces of any size") {
  const std::string text = event_text(1, R"({"a":1})") + event_text(2, R"({"a":2})");
  CHECK(text == "id: 1\ndata: {\"a\":1}\n\nid: 2\ndata: {\"a\":2}\n\n");
  for (std::size_t piece = 1; piece <= text.size(); ++piece) {
    taken.clear();
    for (std::size_t at = 0; at < text.size(); at += piece) CHECK(read(std::string_view(text).substr(at, piece)));
    CHECK(taken == std::vector<std::string>{R"({"a":1})", R"({"a":2})"});
  }
}

TEST_CASE_FIXTURE(EventStreamRead, "comments, other fields and line ends of two bytes are allowed") {
  CHECK(read(": ping\r\nretry: 5\r\ndata:x\r\n\r\n\r\n"));
  CHECK(taken == std::vector<std::string>{"x"});
}

TEST_CASE_FIXTURE(EventStreamRead, "an event that does not end is not taken, and a line has a limit") {
  CHECK(read("data: {}\n"));
  CHECK(taken.empty());
  const std::string much(1 << 20, 'x');
  bool good = true;
  for (int i = 0; i < 80 && good; ++i) good = read(much);
  CHECK_FALSE(good);
}

}  // namespace gray::control
