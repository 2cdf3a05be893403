#include "router/process/prober.hpp"

#include <cstring>

namespace gray::proxy {
namespace {

constexpr http::HeadLimits kHead{16 * 1024, 100};  // of an answer to a probe

}  // namespace

class Prober::Probe final : public engine::StreamHandler {
 public:
  Probe(Prober& prober, ProbeRequest request)
      : prober_(prober),
        request_(std::move(request)),
        deadline_(this, [](void* self, TimePoint) { static_cast<Probe*>(self)->end(false, "timed out"); }) {}

  void start() {
    prober_.engine_.timers().arm(deadline_, prober_.engine_.now() + request_.timeout);
    stream_ = prober_.engine_.connect(request_.address, request_.owner, *this);
    if (!stream_) end(false, "no socket could be opened");
  }
  void close() {
    prober_.engine_.timers().disarm(deadline_);
    prober_.engine_.close(stream_);
  }

 private:
  void on_connected(int error) override {
    if (error != 0) return end(false, std::string("connect: ") + std::strerror(error));
    peer_ = prober_.engine_.peer(stream_);
    if (request_.path.empty()) return end(true, "connected");
    prober_.engine_.send(stream_, "GET " + request_.path + " HTTP/1.1\r\nHost: " + host() +
                                      "\r\nUser-Agent: grayd-probe\r\nConnection: close\r\n\r\n");
  }

  void on_stranger(const PeerOwner& found) override {
    peer_ = found;
    end(false, "answered by uid " + std::to_string(found.uid) + " instead of uid " + std::to_string(request_.owner));
  }

  std::string host() const {
    return request_.address.kind == Address::Kind::unix_path ? "localhost" : request_.address.text();
  }

  void on_data(std::string_view bytes) override {
    head_.append(bytes);
    const std::size_t length = http::find_head_end(head_, searched_);
    if (length == 0 && head_.size() <= kHead.bytes) return;
    http::Fault fault;
    if (http::parse_response(head_, kHead, http::Method::get, prober_.scratch_, fault) != http::Parse::complete) {
      return end(false, std::string("invalid answer: ") + fault.text);
    }
    const int status = prober_.scratch_.status;
    end(status >= 200 && status < 400, "status " + std::to_string(status));
  }

  void on_end() override { end(false, "closed without an answer"); }
  void on_writable() override {}
  void on_failed(int error) override { end(false, std::strerror(error)); }
  void on_peer_closing(bool) override {}
  void on_closed() override { prober_.forget(*this); }
  void end(bool ok, std::string detail) {
    close();
    prober_.done_(request_.id, {ok, std::move(detail), peer_});
    if (!stream_) prober_.forget(*this);
  }

  Prober& prober_;
  ProbeRequest request_;
  engine::StreamId stream_;
  engine::Timer deadline_;
  std::string head_;
  std::size_t searched_ = 0;
  std::optional<PeerOwner> peer_;
};

Prober::Prober(engine::Engine& engine, http::ResponseHead& scratch, Done done)
    : engine_(engine), scratch_(scratch), done_(std::move(done)) {}

Prober::~Prober() = default;

void Prober::start(ProbeRequest request) { probes_.emplace_back(*this, std::move(request)).start(); }

void Prober::cut_short() {
  for (Probe& probe : probes_) probe.close();
}

void Prober::forget(Probe& probe) {
  probes_.remove_if([&probe](const Probe& other) { return &other == &probe; });
}

}  // namespace gray::proxy
