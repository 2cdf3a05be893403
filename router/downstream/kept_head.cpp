#include "router/downstream/kept_head.hpp"

#include "router/wire/upgrade.hpp"

namespace gray::proxy {
namespace {

constexpr http::HeadLimits kAnyHead{SIZE_MAX, http::kMaxFields};

}  // namespace

bool KeptHead::keep(std::uint64_t connection) {
  const std::string_view read = scratch_.bytes;
  bytes_ = buffers_.take(read.size(), connection);
  in_scratch_ = static_cast<bool>(bytes_);
  if (in_scratch_) bytes_.append(read);
  bytes_.set_long_lived();
  bytes_.touch("kept head");
  return in_scratch_;
}

RequestFacts KeptHead::facts(bool trusted) const {
  const http::RequestHead& head = scratch_;
  RequestFacts facts{.method = head.method,
                     .method_text = kept(head.method_text),
                     .authority = kept(head.authority),
                     .path = kept(head.path),
                     .head_bytes = head.size,
                     .fields = head.fields.count,
                     .has_body = !head.body.empty(),
                     .last_hop = head.hops == 0,
                     .forwards = head.forwards};
  if (head.body.kind == http::Body::Kind::sized) facts.length = head.body.size;
  if (head.upgrade) facts.upgrade = kept(http::offered_protocols(head));
  if (head.trace) facts.trace_id = kept(head.trace.trace_id);
  const http::Field* id = trusted ? head.fields.find(http::Name::x_request_id) : nullptr;
  if (id != nullptr) facts.request_id = kept(id->value);
  return facts;
}

const http::Request& KeptHead::read() {
  http::RequestHead& head = scratch_;
  http::Fault fault;
  if (!in_scratch_) (void)http::parse_request(bytes_.view(), kAnyHead, head, fault);  // it was valid before
  return head;
}

// The same text in the copied bytes. A text that is not in the head ("/" for an empty path) is a literal, and stays.
std::string_view KeptHead::kept(std::string_view text) const {
  const auto address = [](std::string_view bytes) { return reinterpret_cast<std::uintptr_t>(bytes.data()); };
  const std::string_view read = scratch_.bytes;
  const std::size_t offset = address(text) - address(read);
  return offset < read.size() ? std::string_view{bytes_.data() + offset, text.size()} : text;
}

}  // namespace gray::proxy
