#include "control/report/memory_metrics.hpp"

#include <doctest/doctest.h>

using namespace gray;

TEST_CASE("the buffers of each thread and size, over the routers that live and those that ended") {
  segment::Segment segment = segment::Segment::create();
  for (const std::uint32_t slot : {0u, 2u}) {
    segment::BufferCounts& counts = segment->memory[slot][3].buffers[1];
    counts.in_use = 4096;
    counts.kept = 8192;
    counts.high_water = 12'288;
    counts.released = 100;
  }
  segment->memory_base[3].buffers[1].released = 50;
  segment->memory[0][0].buffers[4].refused = 1;
  constexpr auto kPinned = static_cast<std::size_t>(segment::LeakKind::pinned);
  segment->memory[1][7].leaks[kPinned] = 2;
  segment->memory_base[0].leaks[kPinned] = 3;
  std::string text;
  control::memory_metrics(text, *segment);
  const auto has = [&](const std::string& line) { return text.find(line + "\n") != std::string::npos; };
  CHECK(has("# TYPE grayd_buffers_in_use_bytes gauge"));
  CHECK(has("grayd_buffers_in_use_bytes{thread=\"3\",size=\"4096\"} 8192"));
  CHECK(has("grayd_buffers_kept_bytes{thread=\"3\",size=\"4096\"} 16384"));
  CHECK(has("grayd_buffers_high_water_bytes{thread=\"3\",size=\"4096\"} 24576"));
  CHECK(has("grayd_buffers_released_bytes_total{thread=\"3\",size=\"4096\"} 250"));
  CHECK(has("grayd_buffers_refused_total{thread=\"0\",size=\"larger\"} 1"));
  CHECK(text.find("thread=\"1\"") == std::string::npos);
  CHECK(text.find("size=\"1024\"") == std::string::npos);
  CHECK(has("grayd_buffer_leaks_total{kind=\"pinned\"} 5"));
  CHECK(has("grayd_buffer_leaks_total{kind=\"too-old\"} 0"));
}
