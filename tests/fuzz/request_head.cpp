// Requests: what parses is clean, does not depend on how it arrived, and is understood by the next parser as it was by
// us once we have written it.
#include "router/wire/forwarding.hpp"
#include "router/wire/target.hpp"
#include "tests/fuzz/head_properties.hpp"

using namespace gray::http;
using namespace gray::fuzz;

namespace {

RequestHead head, forwarded;  // large, and reused as a connection reuses its own

Parse parse(std::string_view bytes, Fault& fault) { return parse_request(bytes, kLimits, head, fault); }

void check_parsed() {
  check_clean(head.bytes);
  check_fields(head.fields, head.bytes, kLimits.fields);
  check_within(head.method_text, head.bytes, "the method lies within the head");
  check_within(head.target, head.bytes, "the target lies within the head");
  must(head.bytes.size() <= kLimits.bytes, "no head is longer than allowed");
  must(!head.method_text.empty() && std::all_of(head.method_text.begin(), head.method_text.end(), is_token),
       "a method is a token");
  must(std::all_of(head.target.begin(), head.target.end(), is_target), "a target is visible");
  const bool whole_server = head.path == "*" && head.method == Method::options;
  must(head.path.starts_with('/') || head.path.starts_with('?') || whole_server, "a path begins with a slash");
  must(head.authority.empty() ? head.version == Version::http10 : is_valid_authority(head.authority),
       "the host is valid");
  must(count(head.fields, Name::host) == 1 || (head.version == Version::http10 && count(head.fields, Name::host) == 0),
       "one Host");
  must(head.framing.kind != Framing::Kind::until_close, "no request ends with its connection");
}

struct Understood {
  std::string method, target, host;
  Framing framing;
  bool operator==(const Understood&) const = default;
};

void check_hop(bool trusted) {
  must(count(forwarded.fields, Name::host) == 1, "exactly one Host is forwarded");
  const std::size_t upgrade = head.upgrade ? 1 : 0, trailers = head.wants_trailers ? 1 : 0;
  must(count(forwarded.fields, Name::upgrade) <= upgrade, "no upgrade is asked for that was not asked for");
  must(count(forwarded.fields, Name::te) == trailers, "TE: trailers is said again, nothing else");
  must(count(forwarded.fields, Name::connection) <= upgrade + trailers, "Connection names these two");
  for (const Name name :
       {Name::keep_alive, Name::proxy_connection, Name::trailer, Name::x_gray, Name::x_gray_version, Name::shadow}) {
    must(count(forwarded.fields, name) == 0, "what is about one hop stays there");
  }
  must(count(forwarded.fields, Name::traceparent) == (head.trace ? 1 : 0), "a valid trace goes on");
  must(head.trace.trace_id == forwarded.trace.trace_id, "a trace keeps its id");
  must(head.trace || count(forwarded.fields, Name::tracestate) == 0, "no trace, no state of it");
  for (const Name name : {Name::x_forwarded_for, Name::x_forwarded_host, Name::x_forwarded_proto, Name::x_request_id}) {
    must(count(forwarded.fields, name) == (name == Name::x_forwarded_host && head.authority.empty() ? 0 : 1) ||
             (trusted && name == Name::x_forwarded_host && count(forwarded.fields, name) == 1),
         "what we vouch for is said once");
  }
  if (trusted) return;
  must(forwarded.fields.find(Name::x_forwarded_for)->value == "192.0.2.7", "the client's address is ours to say");
  must(forwarded.fields.find(Name::x_request_id)->value == "id", "the request's id is ours to say");
  must(count(forwarded.fields, Name::forwarded) == 0, "a stranger's Forwarded stays behind");
}

void check_forwarded(bool trusted) {
  const RequestExtras extras{"192.0.2.7", trusted, "id", "http", true, "00f067aa0ba902b7"};
  const std::size_t bound = request_bound(head, extras);
  Exact out(bound);
  const std::size_t size = write_request(head, extras, out.data());
  must(size <= bound, "the bound of a request");

  const Exact written(out.view().substr(0, size));
  check_clean(written.view());
  Fault fault;
  must(parse_request(written.view(), {bound, kMaxFields}, forwarded, fault) == Parse::complete,
       "what is forwarded parses");
  must(forwarded.bytes.size() == size, "what is forwarded is one head");
  const std::string path = (head.path.starts_with('?') ? "/" : "") + std::string(head.path);
  const Understood ours{std::string(head.method_text), path,
                        std::string(head.authority.empty() ? "localhost" : head.authority), head.framing};
  const Understood theirs{std::string(forwarded.method_text), std::string(forwarded.target),
                          std::string(forwarded.authority), forwarded.framing};
  must(ours == theirs, "what is forwarded is understood alike");
  must(forwarded.expect_continue == head.expect_continue, "an expectation goes on");
  must(end_to_end(forwarded.fields) == end_to_end(head.fields), "end-to-end fields go on as they came");
  check_hop(trusted);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  Choices choices(input);
  if (check_arrival(input, choices, parse, [] { return head.bytes.size(); }) != Parse::complete) return 0;
  check_end(input, head.bytes.size(), choices);
  check_parsed();
  check_forwarded(false);
  check_forwarded(true);
  return 0;
}
