#include "grayd/releases/memory_sampler.hpp"

#include <doctest/doctest.h>

#include "config/base/archive.hpp"
#include "tests/supervisor/fake_host.hpp"

using namespace gray;
using namespace gray::master;

namespace {

struct MemorySamplerFixture {
  asio::io_context io;
  segment::Segment segment = segment::Segment::create();
  control::Rows rows{segment};
  supervisor::FakeHost host{io};
  supervisor::Supervisor supervisor{io, host, "memory-sampler-test-" + std::to_string(::getpid()), {}};
  MemorySampler sampler{{io, segment, rows, supervisor, Duration{1}}};
};

}  // namespace

TEST_CASE_FIXTURE(MemorySamplerFixture, "nothing is recorded of a version without processes, or without a row") {
  sampler.sample(TimePoint{Duration{1'000}});
  CHECK(sampler.of("web", "v1") == nullptr);
  sampler.start();
  io.run_one();
  CHECK(sampler.of("web", "v1") == nullptr);
  sampler.stop();
  Save save;
  sampler.archive(save);
  CHECK(save.take() == nlohmann::json::parse(R"({"versions": []})"));
}
