#include "router/process/prober.hpp"

#include <cstring>

namespace gray::proxy {
namespace {

constexpr http::HeadLimits kHead{16 * 1024, 100};  // of an answer to a probe
constexpr std::size_t kMostOfPath = 200;           // bytes of it in a message

std::string request_of(const HttpProbe& probe, const std::string& host) {
  std::string text = "GET " + probe.path + " HTTP/1.1\r\nHost: " + host + "\r\n";
  bool names_agent = false;
  for (const auto& [name, value] : probe.headers) {
    text += name + ": " + value + "\r\n";
    names_agent = names_agent || http::equals_ignoring_case(name, "user-agent");
  }
  if (!names_agent) text += "User-Agent: grayd-probe\r\n";
  return text + "Connection: close\r\n\r\n";
}

}  // namespace

class Prober::Probe final : public engine::StreamHandler {
 public:
  Probe(Prober& prober, ProbeRequest request)
      : prober_(prober),
        request_(std::move(request)),
        deadline_(this, [](void* self, TimePoint) { static_cast<Probe*>(self)->fail("timed out"); }) {}

  void start(Probes::iterator self) {
    self_ = self;
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
    if (request_.http.path.empty()) return end(true, "connected");
    asked_ = true;
    prober_.engine_.send(stream_, request_of(request_.http, host()));
  }

  void on_stranger(const PeerOwner& found) override {
    peer_ = found;
    end(false, "answered by uid " + std::to_string(found.uid) + " instead of uid " + std::to_string(request_.owner));
  }

  std::string host() const {
    if (!request_.http.host.empty()) return request_.http.host;
    return request_.address.kind == Address::Kind::unix_path ? "localhost" : request_.address.text();
  }

  /// "GET /healthz with Host: example.com": an answer depends on both.
  std::string question() const {
    const std::string& path = request_.http.path;
    return "GET " + path.substr(0, kMostOfPath) + (path.size() > kMostOfPath ? "..." : "") + " with Host: " + host();
  }

  void on_data(std::string_view bytes) override {
    head_.append(bytes);
    const std::size_t length = http::find_head_end(head_, searched_);
    if (length == 0 && head_.size() <= kHead.bytes) return;
    http::Fault fault;
    if (http::parse_response(head_, kHead, http::Method::get, prober_.scratch_, fault) != http::Parse::complete) {
      return fail(std::string("invalid answer: ") + fault.text);
    }
    const bool old = prober_.scratch_.version == http::Version::http10;
    if (request_.cell)
      prober_.layout_.workers[*request_.cell].speaks = old ? segment::Speaks::http10 : segment::Speaks::http11;
    const int status = prober_.scratch_.status;
    end(status >= 200 && status < 400, question() + " was answered " + std::to_string(status));
  }

  void on_end() override { fail("closed without an answer"); }
  void on_writable() override {}
  void on_failed(int error) override { fail(std::strerror(error)); }
  void on_peer_closing(bool) override {}
  void on_closed() override { forget(); }
  void fail(const std::string& why) { end(false, asked_ ? question() + ": " + why : why); }
  void end(bool ok, std::string detail) {
    close();
    prober_.done_(request_.id, {ok, std::move(detail), peer_});
    if (!stream_) forget();
  }
  void forget() { prober_.probes_.erase(self_); }

  Prober& prober_;
  Probes::iterator self_;
  ProbeRequest request_;
  engine::StreamId stream_;
  engine::Timer deadline_;
  std::string head_;
  std::size_t searched_ = 0;
  bool asked_ = false;
  std::optional<PeerOwner> peer_;
};

Prober::Prober(engine::Engine& engine, segment::Layout& layout, http::ResponseHead& scratch, Done done)
    : engine_(engine), layout_(layout), scratch_(scratch), done_(std::move(done)) {}

Prober::~Prober() = default;

void Prober::start(ProbeRequest request) {
  probes_.emplace_front(*this, std::move(request));
  probes_.front().start(probes_.begin());
}

void Prober::cut_short() {
  for (Probe& probe : probes_) probe.close();
}

}  // namespace gray::proxy
