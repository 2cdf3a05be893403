// Random damage to valid heads: nothing may crash, and a head that still parses must be valid and stay the same when
// written.
#include <doctest/doctest.h>

#include <cstdlib>
#include <random>
#include <string>
#include <vector>

#include "router/wire/body.hpp"
#include "router/wire/forwarding.hpp"
#include "tests/router/wire/feeding.hpp"

using namespace gray::http;

namespace {

constexpr int kMutations = 10000;

class Mutator {
 public:
  explicit Mutator(unsigned seed) : random_(seed) {}

  std::string operator()(std::string text) {
    for (std::size_t n = 1 + below(3); n > 0; --n) mutate(text);
    return text;
  }
  std::size_t below(std::size_t limit) { return std::uniform_int_distribution<std::size_t>(0, limit - 1)(random_); }

 private:
  // Bytes with a meaning do the most damage.
  std::string piece() {
    static const std::vector<std::string> kPieces = {"\r\n",
                                                     "\r",
                                                     "\n",
                                                     " ",
                                                     "\t",
                                                     ":",
                                                     ",",
                                                     ";",
                                                     "/",
                                                     "*",
                                                     "?",
                                                     "#",
                                                     "@",
                                                     "[",
                                                     "0",
                                                     "9",
                                                     "a",
                                                     "\x80",
                                                     "\x7f",
                                                     "\r\n ",
                                                     "\r\n\r\n",
                                                     "Content-Length: 5\r\n",
                                                     "Transfer-Encoding: chunked\r\n",
                                                     "Host: b\r\n",
                                                     "http://c",
                                                     "Connection: close\r\n",
                                                     "X-Forwarded-For: 1\r\n",
                                                     std::string(1, '\0'),
                                                     std::string(200, 'z')};
    return below(4) == 0 ? std::string(1, static_cast<char>(below(256))) : kPieces[below(kPieces.size())];
  }
  void mutate(std::string& text) {
    if (text.empty()) text = "x";
    const std::size_t at = below(text.size());
    switch (below(4)) {
      case 0: text.insert(at, piece()); break;
      case 1: text.erase(at, 1 + below(8)); break;
      case 2: text.replace(at, 1, piece()); break;
      default: text.insert(at, text.substr(below(text.size()), 1 + below(30))); break;
    }
  }

  std::mt19937 random_;
};

unsigned seed() {
  const char* fixed = std::getenv("GRAY_TEST_SEED");
  const unsigned value = fixed != nullptr ? static_cast<unsigned>(std::atoi(fixed)) : std::random_device{}();
  MESSAGE("seed " << value << " (set GRAY_TEST_SEED to repeat)");
  return value;
}

bool is_clean(std::string_view head) {
  for (std::size_t i = 0; i < head.size(); ++i) {
    const auto c = static_cast<unsigned char>(head[i]);
    if (c == '\r' && (i + 1 == head.size() || head[i + 1] != '\n')) return false;
    if (c == '\n' && (i == 0 || head[i - 1] != '\r')) return false;
    if ((c < 0x20 && c != '\r' && c != '\n' && c != '\t') || c == 0x7f) return false;
  }
  return head.ends_with("\r\n\r\n");
}

std::size_t count(const Fields& fields, Name id) {
  std::size_t found = 0;
  for (const Field& field : fields) found += field.id == id ? 1 : 0;
  return found;
}

const std::vector<std::string>& requests() {
  static const std::vector<std::string> kTexts = {
      head_of({"GET /a/b?version=v2&c=d HTTP/1.1", "Host: example.com:8000", "User-Agent: test/1.0", "Accept: */*",
               "Cookie: uid=1; version=v1", "Connection: keep-alive, x-hop", "X-Hop: 1", "TE: trailers"}),
      head_of({"POST / HTTP/1.1", "Host: a", "Content-Length: 12", "Expect: 100-continue", "Forwarded: for=1"}),
      head_of({"PUT http://b/c HTTP/1.1", "Host:a", "Transfer-Encoding: chunked", "X-Forwarded-For: 1.2.3.4",
               "x-forwarded-for:5", "X-Request-Id: i", "Via: 1.0 fred"}),
      head_of({"GET http://b?c HTTP/1.1", "Host: a"}),
      head_of({"OPTIONS * HTTP/1.0", "Connection: Keep-Alive", "A:", "B:c"}),
  };
  return kTexts;
}

void check_request(const std::string& text, const RequestHead& head, bool trusted) {
  REQUIRE(is_clean(head.bytes));
  CHECK(count(head.fields, Name::host) <= 1);
  CHECK(count(head.fields, Name::content_length) + count(head.fields, Name::transfer_encoding) <= 1);
  const RequestExtras extras{"10.0.0.9", trusted, "id", "http", true};
  std::string out(request_bound(head, extras), '\0');
  out.resize(write_request(head, extras, out.data()));
  REQUIRE(out.size() <= request_bound(head, extras));
  // An absolute-form target may have a query and no path; the origin form begins with a slash (RFC 9112 3.2.1).
  const std::string slash = head.path.starts_with('?') ? "/" : "";
  const std::string method(head.method_text), target = slash + std::string(head.path), host(head.authority);
  const Framing framing = head.framing;

  CAPTURE(out);
  Fault fault;
  RequestHead& again = shared_request();
  const Parse result = parse_request(out, {text.size() + 4096, kMaxFields}, again, fault);
  CAPTURE(fault.text);
  REQUIRE(result == Parse::complete);
  CHECK(again.bytes.size() == out.size());
  CHECK(again.method_text == method);
  CHECK(again.target == target);
  CHECK(again.authority == (host.empty() ? "localhost" : host));
  CHECK(again.framing == framing);
}

}  // namespace

TEST_CASE("A damaged request is refused, or is valid and stays the same when forwarded (P5, P14)") {
  Mutator mutate(seed());
  int parsed = 0;
  for (int i = 0; i < kMutations; ++i) {
    const std::string text = mutate(requests()[mutate.below(requests().size())]);
    CAPTURE(text);
    Fault fault;
    if (parse_request(text, {}, shared_request(), fault) != Parse::complete) continue;
    check_request(text, shared_request(), mutate.below(2) == 0);
    ++parsed;
  }
  CHECK(parsed > kMutations / 50);
}

TEST_CASE("A damaged response is refused, or is valid and parses again when forwarded") {
  const std::vector<std::string> texts = {
      head_of({"HTTP/1.1 200 OK", "Content-Length: 5", "Content-Type: text/html", "Set-Cookie: a=b", "Date: now"}),
      head_of({"HTTP/1.0 404", "Connection: keep-alive", "X-Request-Id: u", "A:"}),
      head_of({"HTTP/1.1 200 OK", "Transfer-Encoding: chunked", "Connection: x", "x: y", "Trailer: z"}),
  };
  Mutator mutate(seed());
  for (int i = 0; i < kMutations; ++i) {
    const std::string text = mutate(texts[mutate.below(texts.size())]);
    CAPTURE(text);
    const Method to = mutate.below(4) == 0 ? Method::head : Method::get;
    ResponseHead& head = shared_response();
    Fault fault;
    if (parse_response(text, {}, to, head, fault) != Parse::complete) continue;
    REQUIRE(is_clean(head.bytes));
    const ResponseExtras extras{"id", "v1", "bucket"};
    const Hop hop{.client = mutate.below(2) == 0 ? Version::http10 : Version::http11};
    std::string out(response_bound(head, extras), '\0');
    out.resize(write_response(head, extras, hop, out.data()));
    REQUIRE(out.size() <= response_bound(head, extras));
    const int status = head.status;
    const Framing framing = downstream_framing(head.body, hop.client);
    REQUIRE(parse_response(out, {}, to, head, fault) == Parse::complete);
    CHECK(head.status == status);
    CHECK(head.framing == framing);
  }
}

TEST_CASE("A damaged chunked body decodes to the same result however it is cut") {
  const std::string valid =
      "5;a=\"b\"\r\nhello\r\n2\r\nto\r\n3\r\nall\r\n10\r\n0123456789abcdef\r\n0\r\nA: b\r\n\r\nGET";
  Mutator mutate(seed());
  for (int i = 0; i < kMutations; ++i) {
    const std::string text = mutate(valid);
    CAPTURE(text);
    std::string payloads[2];
    std::size_t consumed[2] = {0, 0};
    BodyDecoder::Result results[2];
    for (const std::size_t way : {0, 1}) {
      BodyDecoder decoder(Framing{Framing::Kind::chunked, 0});
      const std::size_t piece = way == 0 ? text.size() : 1 + mutate.below(5);
      BodyDecoder::Step step;
      char room[16];
      do {
        const std::string_view next = std::string_view(text).substr(consumed[way], piece);
        step = way == 0 ? decoder.feed(next, room) : decoder.feed(next);
        consumed[way] += step.consumed;
        payloads[way] += step.payload;
      } while (step.result == BodyDecoder::Result::data ||
               (step.result == BodyDecoder::Result::more && consumed[way] < text.size()));
      results[way] = step.result;
    }
    REQUIRE(results[0] == results[1]);
    CHECK(payloads[0] == payloads[1]);
    CHECK(consumed[0] == consumed[1]);
  }
}
