// The server side of HTTP/2: the input is what a client sends behind its preface and its SETTINGS. It does not matter
// how the bytes are cut; the bounds of a connection hold; and each head that is given to the owner is one whole head of
// HTTP/1.1 or is refused by its parser, never the beginning of something else.
#include <memory>
#include <string>

#include "router/h2/server_machine.hpp"
#include "tests/fuzz/property.hpp"

using namespace gray;
using namespace gray::h2;
using namespace gray::fuzz;

namespace {

constexpr http::HeadLimits kLimits{2048, 20};

class Owner final : public ServerVisitor, public Output {
 public:
  Owner() {
    response_->status = 200;
    machine.start();
    receive(std::string(kPreface) + std::string("\0\0\0\4\0\0\0\0\0", 9), 1000);
  }
  ~Owner() {
    machine.for_each_stream([](Stream& stream) { stream.user = nullptr; });
  }

  void receive(std::string_view bytes, std::size_t piece) {
    while (!bytes.empty()) {
      const Exact part(bytes.substr(0, piece));
      bytes.remove_prefix(part.view().size());
      machine.receive(part.view(), TimePoint{std::chrono::seconds(100)});
      must(machine.open_streams() <= kMaxStreams, "no more streams than the limit");
      must(machine.memory() <= 64 * 1024, "memory is bounded");
    }
  }

  void on_request(Stream& stream, std::string_view head, bool end) override {
    log("request", stream, std::string(head) + (end ? "." : ""));
    http::Fault fault;
    const Exact text(head);
    const http::Parse parsed = http::parse_request(text.view(), kLimits, *request_, fault);
    must(parsed != http::Parse::incomplete, "a head is whole");
    if (parsed == http::Parse::complete) {
      must(request_->bytes.size() == head.size(), "a head is one head");
      must(request_->framing.kind == http::Framing::Kind::none || !end || request_->framing.length == 0,
           "a request without body announces none");
    }
    if (stream.id % 3 == 1) answer(stream);
  }
  void on_refused(Stream& stream, const Refusal& refusal, bool) override {
    log("refused", stream, std::to_string(refusal.status));
    machine.release(stream);
  }
  void on_data(Stream& stream, std::string_view payload, bool end) override {
    must(!payload.empty() || end, "payload is there, or the end");
    must(stream.receive.unconsumed() <= kFirstWindow, "no more than a window is unconsumed");
    payloads += std::to_string(stream.id % 100) + std::string(payload);
    count += payload.size();
    if (stream.id % 5 != 0) machine.consumed(stream, payload.size());
    if (end) log("end", stream, "");
    if (end && stream.id % 7 != 0) answer(stream);
  }
  void on_trailers(Stream& stream, std::string_view section) override {
    must(section.ends_with("\r\n"), "a section of trailers has its empty line");
    log("trailers", stream, std::string(section));
    answer(stream);
  }
  void on_reset(Stream& stream, ErrorCode code) override {
    log("reset", stream, std::string(name_of(code)));
    if (stream.id % 2 == 1 && stream.id % 11 != 0) machine.release(stream);
  }
  void on_window(Stream& stream) override { log("window", stream, ""); }
  void on_connection_window() override { calls += "window\n"; }
  void on_goaway(ErrorCode) override { calls += "goaway\n"; }
  void on_connection_error(ErrorCode code, const char* rule) override {
    must(*rule != '\0', "a broken rule is named");
    calls += std::string("broken ") + std::string(name_of(code)) + "\n";
  }

  char* room(std::size_t bound) override {
    room_ = std::make_unique<Exact>(bound);
    return room_->data();
  }
  void commit(std::size_t length) override { out += room_->view().substr(0, length); }
  void append(std::string_view bytes) override { out += bytes; }
  std::size_t unsent() const override { return 0; }

  std::string calls, out, payloads;
  std::size_t count = 0;
  HeadRoom rooms{kLimits};
  StreamPool pool;
  ServerMachine machine{rooms, pool, *this, *this};

 private:
  void log(const char* call, const Stream& stream, const std::string& text) {
    calls += call + std::to_string(stream.id) + text + "\n";
  }
  void answer(Stream& stream) {
    machine.send_head(stream, *response_, {}, "date", false);
    const std::size_t sent = machine.send_data(stream, "an answer", true);
    must(sent <= 9, "no more is sent than there is");
    machine.release(stream);
  }

  std::unique_ptr<Exact> room_;
  std::unique_ptr<http::Response> response_ = std::make_unique<http::Response>();
  std::unique_ptr<http::RequestHead> request_ = std::make_unique<http::RequestHead>();
};

/// Everything that was written is whole frames.
void check_frames(std::string_view bytes) {
  while (!bytes.empty()) {
    must(bytes.size() >= kFrameHead, "a frame has its head");
    const FrameHead head = read_frame_head(bytes.data());
    must(!check_frame(head, kFrameSize), "a frame has the size of its type");
    must(bytes.size() >= kFrameHead + head.length, "a frame is whole");
    bytes.remove_prefix(kFrameHead + head.length);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  Choices choices(input);
  Owner whole;
  whole.receive(input, size + 1);
  check_frames(whole.out);
  for (const std::size_t piece : {std::size_t{1}, 1 + choices.below(40)}) {
    Owner cut;
    cut.receive(input, piece);
    must(cut.calls == whole.calls, "it does not matter how bytes are cut: the same calls");
    must(cut.count == whole.count, "it does not matter how bytes are cut: the same payload");
    must(cut.out == whole.out, "it does not matter how bytes are cut: the same frames");
  }
  return 0;
}
