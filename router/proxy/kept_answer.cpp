#include "router/proxy/kept_answer.hpp"

#include "config/base/decimal.hpp"
#include "router/policy/asset.hpp"
#include "router/wire/framing.hpp"

namespace gray::proxy {
namespace {

constexpr http::HeadLimits kKeptHead{SIZE_MAX, http::kMaxFields};
constexpr std::string_view kLineEnd = "\r\n";

/// More than write_head() appends.
std::size_t bound_of(const http::Response& head) {
  constexpr std::size_t kStatusLine = 64;              // without the reason
  return head.size + head.fields.count + kStatusLine;  // each field may grow by the blank behind its colon
}

/// All fields as they came, so that the same framing is read again.
void write_head(const http::Response& head, engine::Buffer& out) {
  char status[20];
  const char* end = write_decimal(static_cast<std::uint64_t>(head.status), status);
  out.append(head.version == http::Version::http11 ? "HTTP/1.1 " : "HTTP/1.0 ");
  out.append({status, static_cast<std::size_t>(end - status)});
  out.append(" ");
  out.append(head.reason);
  out.append(kLineEnd);
  for (const http::Field& field : head.fields) {
    for (const std::string_view part : {field.name, std::string_view(": "), field.value, kLineEnd}) out.append(part);
  }
  out.append(kLineEnd);
}

}  // namespace

void KeptAnswer::begin(const http::Response& head, std::uint64_t connection) {
  drop();
  const std::size_t bound = bound_of(head);
  if (bound > policy::kDroppedBytes) return;
  bytes_ = buffers_.take(bound, connection);
  if (!bytes_) return;
  write_head(head, bytes_);
  bytes_.set_long_lived();  // until its exchange ends, which may send another version's answer first
  bytes_.touch("kept answer");
  head_size_ = bytes_.size();
  connection_ = connection;
  state_ = State::growing;
}

void KeptAnswer::add(std::string_view payload) {
  if (state_ != State::growing) return;
  const bool fits = bytes_.size() + payload.size() <= policy::kDroppedBytes;
  if (!fits || !buffers_.reserve(bytes_, payload.size(), connection_)) return drop();
  bytes_.append(payload);
  bytes_.set_long_lived();
  bytes_.touch("kept answer");
}

void KeptAnswer::end() {
  if (state_ == State::growing) state_ = State::whole;
}

void KeptAnswer::settle() {
  if (state_ == State::growing) drop();
}

const http::Response& KeptAnswer::head(http::Method method, http::ResponseHead& scratch) const {
  http::Fault fault;
  (void)http::parse_response(bytes_.view().substr(0, head_size_), kKeptHead, method, scratch, fault);  // it was valid
  return scratch;
}

}  // namespace gray::proxy
