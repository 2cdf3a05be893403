// Responses: what parses is clean, does not depend on how it arrived, and means to the client what it meant to us.
#include "router/wire/forwarding.hpp"
#include "tests/fuzz/head_properties.hpp"

using namespace gray::http;
using namespace gray::fuzz;

namespace {

ResponseHead head, forwarded;

void check_parsed(Method to) {
  check_clean(head.bytes);
  check_fields(head.fields, head.bytes, kLimits.fields);
  check_within(head.reason, head.bytes, "the reason lies within the head");
  must(head.bytes.size() <= kLimits.bytes, "no head is longer than allowed");
  must(head.status >= 100 && head.status <= 599, "a status has its range");
  const bool bodiless = to == Method::head || head.status < 200 || head.status == 204 || head.status == 304;
  if (bodiless) must(head.framing.kind == Framing::Kind::none, "a response without a body (P18)");
  if (head.framing.kind == Framing::Kind::until_close) must(!head.keep_alive, "a body that ends with its connection");
}

void check_hop() {
  must(count(forwarded.fields, Name::content_length) + count(forwarded.fields, Name::transfer_encoding) <= 1,
       "one framing field at most is forwarded");
  for (const Name name : {Name::keep_alive, Name::proxy_connection, Name::trailer, Name::x_gray}) {
    must(count(forwarded.fields, name) == 0, "what is about one hop stays there");
  }
  must(count(forwarded.fields, Name::upgrade) == 0 || forwarded.status == 101, "only a 101 upgrades");
  for (const Name name : {Name::x_request_id, Name::x_gray_version, Name::x_gray_decision, Name::via}) {
    must(count(forwarded.fields, name) >= 1, "what we say is said");
    must(name == Name::via || count(forwarded.fields, name) == 1, "and by nobody else");
  }
}

void check_forwarded(Method to, Version client) {
  const ResponseExtras extras{"id", "v1", "bucket"};
  const std::size_t bound = response_bound(head, extras);
  Exact out(bound);
  const std::size_t size = write_response(head, extras, {.client = client}, out.data());
  must(size <= bound, "the bound of a response");

  const Exact written(out.view().substr(0, size));
  check_clean(written.view());
  Fault fault;
  must(parse_response(written.view(), {bound, kMaxFields}, to, forwarded, fault) == Parse::complete,
       "what is forwarded parses");
  must(forwarded.bytes.size() == size, "what is forwarded is one head");
  must(forwarded.status == head.status && forwarded.reason == head.reason, "the status goes on");
  must(forwarded.framing == downstream_framing(head.body, client), "the body ends where it did");
  must(end_to_end(forwarded.fields) == end_to_end(head.fields), "end-to-end fields go on as they came");
  check_hop();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  for (const Method to : {Method::get, Method::head, Method::connect}) {
    const auto parse = [to](std::string_view bytes, Fault& fault) {
      return parse_response(bytes, kLimits, to, head, fault);
    };
    Choices choices(input);
    if (check_arrival(input, choices, parse, [] { return head.bytes.size(); }) != Parse::complete) return 0;
    check_end(input, head.bytes.size(), choices);
    check_parsed(to);
    check_forwarded(to, Version::http11);
    if (to != Method::connect) check_forwarded(to, Version::http10);
  }
  return 0;
}
