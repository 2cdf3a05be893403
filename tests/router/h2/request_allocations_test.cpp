// No request allocates once the list of streams, the pool and the table have grown.
#include <doctest/doctest.h>

#include <array>
#include <memory>
#include <string>

#include "router/h2/server_machine.hpp"
#include "tests/router/h2/conversation.hpp"
#include "tests/support/counted_allocations.hpp"

using namespace gray;
using namespace gray::h2;

namespace {

/// Answers each request at its end, and allocates nothing.
class Answering final : public ServerVisitor, public Output {
 public:
  Answering() { response_->status = 200; }

  void on_request(Stream& stream, std::string_view, bool end) override {
    if (end) answer(stream);
  }
  void on_refused(Stream& stream, const Refusal&, bool) override { machine.release(stream); }
  void on_data(Stream& stream, std::string_view payload, bool end) override {
    machine.consumed(stream, payload.size());
    if (end) answer(stream);
  }
  void on_trailers(Stream& stream, std::string_view) override { answer(stream); }
  void on_reset(Stream& stream, ErrorCode) override { machine.release(stream); }
  void on_window(Stream&) override {}
  void on_connection_window() override {}
  void on_goaway(ErrorCode) override {}
  void on_connection_error(ErrorCode, const char*) override { ++errors; }

  char* room(std::size_t bound) override { return bound <= space_.size() ? space_.data() : nullptr; }
  void commit(std::size_t) override {}
  void append(std::string_view) override {}
  std::size_t unsent() const override { return 0; }

  int answers = 0, errors = 0;
  HeadRoom rooms{http::HeadLimits{}};
  StreamPool pool;
  ServerMachine machine{rooms, pool, *this, *this};

 private:
  void answer(Stream& stream) {
    ++answers;
    machine.send_head(stream, *response_, {.request_id = "id"}, "date", false);
    machine.send_data(stream, "hello", false);
    machine.send_trailers(stream, "A: b\r\n\r\n");
    machine.release(stream);
  }

  std::unique_ptr<http::Response> response_ = std::make_unique<http::Response>();
  std::array<char, 16384> space_;
};

}  // namespace

TEST_CASE("A request allocates nothing once the connection has grown") {
  const auto server = std::make_unique<Answering>();
  server->machine.start();
  const TimePoint now{std::chrono::seconds(100)};
  server->machine.receive(std::string(kPreface) + settings(), now);
  // Fields that are new each time: the dynamic table evicts all the time.
  std::array<std::string, 64> requests;
  std::uint32_t id = 1;
  const auto make = [&] {
    for (std::string& request : requests) {
      const std::string block = kPostBlock + inserted("x-" + std::to_string(id), std::string(id % 97, 'v')) +
                                inserted("cookie", "a=" + std::to_string(id)) + "\xbe";
      request = headers(id, block, false) + data(id, "some payload") + headers(id, literal("x", "y")) +
                headers(id + 2, kGetBlock) + window_update(0, 300);
      id += 4;
    }
  };
  for (int round = 0; round < 20; ++round) {
    make();
    const std::uint64_t before = allocations;
    for (const std::string& request : requests) server->machine.receive(request, now);
    if (round >= 10) CHECK(allocations == before);
  }
  CHECK(server->errors == 0);
  CHECK(server->answers == 20 * 64 * 2);
}
