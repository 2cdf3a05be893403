#include <doctest/doctest.h>

#include <random>
#include <string>
#include <vector>

#include "router/wire/body.hpp"

using namespace gray::http;
using Result = BodyDecoder::Result;

namespace {

struct Outcome {
  Result result = Result::more;
  std::string payload;
  std::size_t consumed = 0;
  std::size_t payloads = 0;  // steps that brought some
  Fault fault;
};

// Feeds `input` in pieces of `step` bytes until the decoder has ended or the input is used up. `room`: bytes for what
// is gathered.
Outcome decode(Framing framing, std::string_view input, std::size_t step, std::size_t room = 0) {
  BodyDecoder decoder(framing);
  Outcome outcome;
  std::string gathered(room, '?');
  while (true) {
    const std::string_view piece = input.substr(outcome.consumed, step);
    const BodyDecoder::Step done = room == 0 ? decoder.feed(piece) : decoder.feed(piece, gathered);
    REQUIRE(done.consumed <= piece.size());
    REQUIRE((done.result == Result::data) == !done.payload.empty());
    outcome.payload += done.payload;
    if (!done.payload.empty()) ++outcome.payloads;
    outcome.consumed += done.consumed;
    outcome.result = done.result;
    if (done.result == Result::end || done.result == Result::fault) break;
    if (done.result == Result::more && outcome.consumed == input.size()) break;
  }
  CHECK(decoder.payload_bytes() == outcome.payload.size());
  CHECK(decoder.done() == (outcome.result == Result::end));
  outcome.fault = decoder.fault();
  return outcome;
}

constexpr Framing kChunked{Framing::Kind::chunked, 0};

struct ChunkCase {
  const char* name;  // begins with the rule's id
  std::string input;
  Result result;
  std::string payload;
  std::size_t behind = 0;  // bytes at the end of the input that belong to the next message
};

void feed_everywhere(const ChunkCase& test) {
  CAPTURE(test.name);
  for (const std::size_t step : {test.input.size() + 1, std::size_t{1}, std::size_t{2}, std::size_t{7}}) {
    CAPTURE(step);
    for (const std::size_t room : {std::size_t{0}, std::size_t{8}, kGatherRoom}) {
      CAPTURE(room);
      const Outcome outcome = decode(kChunked, test.input, step, room);
      CHECK(outcome.result == test.result);
      if (test.result == Result::fault) {
        CHECK(outcome.fault.status == 400);
        CHECK(std::string_view(test.name).starts_with(outcome.fault.rule));
        CHECK(outcome.fault.offset == outcome.consumed);
      } else {
        CHECK(outcome.payload == test.payload);
        CHECK(outcome.consumed == test.input.size() - test.behind);
      }
    }
  }
}

std::string chunk(std::string_view payload) {
  char head[kMaxChunkHead];
  return std::string(head, write_chunk_head(payload.size(), head)).append(payload).append("\r\n");
}

std::string one_chunk(const std::string& line_tail) { return "5" + line_tail + "\r\nhello\r\n0\r\n\r\n"; }

}  // namespace

TEST_CASE("Well-formed chunks give their payload and leave the next message alone (P20, P28)") {
  const std::string ten_times_seventeen(170, 'x');
  const std::vector<ChunkCase> cases = {
      {"P28 nothing but the last chunk", "0\r\n\r\n", Result::end, ""},
      {"P20 one chunk", one_chunk(""), Result::end, "hello"},
      {"P20 two chunks", "5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n", Result::end, "hello world"},
      {"P20 hex in both cases", "0aA\r\n" + ten_times_seventeen + "\r\n0\r\n\r\n", Result::end, ten_times_seventeen},
      {"P20 leading zeros", "0000000000000005\r\nhello\r\n000\r\n\r\n", Result::end, "hello"},
      {"P20 more leading zeros than a size has digits", std::string(200, '0') + "5\r\nhello\r\n0\r\n\r\n", Result::end,
       "hello"},
      {"P20 CRLF as payload", "2\r\n\r\n\r\n0\r\n\r\n", Result::end, "\r\n"},
      {"P20 extension", one_chunk(";a"), Result::end, "hello"},
      {"P20 extension with value", one_chunk(";a=b;c=d"), Result::end, "hello"},
      {"P20 extension with blanks", one_chunk("; a = b ;c"), Result::end, "hello"},
      {"P20 quoted extension", one_chunk(";a=\"b;\\\" \t\xe9\";c"), Result::end, "hello"},
      {"P20 extension of the last chunk", "0;a=b\r\n\r\n", Result::end, ""},
      {"P21 trailers", "0\r\nA: b\r\nContent-Length: 5\r\nC:\r\n\r\n", Result::end, ""},
      {"P25 the next request behind", "0\r\n\r\nGET", Result::end, "", 3},
      {"P20 unfinished size", "5", Result::more, ""},
      {"P20 unfinished chunk", "5\r\nhel", Result::more, "hel"},
      {"P20 no last chunk", "5\r\nhello\r\n", Result::more, "hello"},
      {"P21 unfinished trailer", "0\r\nA: b", Result::more, ""},
      {"P20 empty line missing", "0\r\n", Result::more, ""},
  };
  for (const ChunkCase& test : cases) feed_everywhere(test);
}

TEST_CASE("Malformed chunks are refused at their first wrong byte (P12, P20, P21)") {
  const std::vector<ChunkCase> cases = {
      {"P20 bare semicolon", one_chunk(";"), Result::fault, ""},
      {"P20 two semicolons", one_chunk(";;a"), Result::fault, ""},
      {"P20 extension name not a token", one_chunk(";a(b"), Result::fault, ""},
      {"P20 extension value missing", one_chunk(";a="), Result::fault, ""},
      {"P20 extension value with two words", one_chunk(";a=b c"), Result::fault, ""},
      {"P20 name with two words", one_chunk(";a b"), Result::fault, ""},
      {"P20 control byte in an extension", one_chunk(";a\x01"), Result::fault, ""},
      {"P20 control byte in a quoted value", one_chunk(";a=\"\x01\""), Result::fault, ""},
      {"P20 CR in a quoted value", one_chunk(";a=\"b\r\nc\""), Result::fault, ""},
      {"P12 LF in a quoted value", one_chunk(";a=\"b\nc\""), Result::fault, ""},
      {"P12 LF in an extension", one_chunk(";a\nb"), Result::fault, ""},
      {"P12 CR in an extension", one_chunk(";a\rb"), Result::fault, ""},
      {"P12 LF behind the size", "5\nhello\r\n0\r\n\r\n", Result::fault, ""},
      {"P12 CR without LF behind the size", "5\rhello", Result::fault, ""},
      {"P12 LF behind the data", "5\r\nhello\n0\r\n\r\n", Result::fault, ""},
      {"P12 CR without LF behind the data", "5\r\nhello\r0\r\n\r\n", Result::fault, ""},
      {"P12 LF behind the last chunk", "0\r\n\n", Result::fault, ""},
      {"P12 LF behind a trailer", "0\r\nA: b\n\r\n", Result::fault, ""},
      {"P12 CR in a trailer", "0\r\nA: b\rc\r\n\r\n", Result::fault, ""},
      {"P12 CR in the empty line", "0\r\n\rX", Result::fault, ""},
      {"P20 CRLF missing behind the data", "5\r\nhello0\r\n\r\n", Result::fault, ""},
      {"P20 more data than said", "5\r\nhello!\r\n0\r\n\r\n", Result::fault, ""},
      {"P20 extra empty line", "5\r\nhello\r\n\r\n0\r\n\r\n", Result::fault, ""},
      {"P20 leading space", " 5\r\nhello\r\n0\r\n\r\n", Result::fault, ""},
      {"P20 blank behind the size", one_chunk(" "), Result::fault, ""},
      {"P20 tab behind the size", one_chunk("\t;a"), Result::fault, ""},
      {"P20 plus", "+5\r\nhello\r\n", Result::fault, ""},
      {"P20 minus", "-5\r\nhello\r\n", Result::fault, ""},
      {"P20 0x", "0x5\r\nhello\r\n", Result::fault, ""},
      {"P20 underscore", "1_0\r\nhello\r\n", Result::fault, ""},
      {"P20 empty size", "\r\nhello\r\n", Result::fault, ""},
      {"P20 not hex", "g\r\nhello\r\n", Result::fault, ""},
      {"P20 seventeen digits", "10000000000000000\r\n", Result::fault, ""},
      {"P20 too many leading zeros", std::string(257, '0') + "5\r\n", Result::fault, ""},
      {"P20 NUL", std::string("5\0\r\nhello", 9), Result::fault, ""},
      {"P21 trailer with a space before the colon", "0\r\nA : b\r\n\r\n", Result::fault, ""},
      {"P21 trailer without a name", "0\r\n: b\r\n\r\n", Result::fault, ""},
      {"P21 trailer without a colon", "0\r\nA\r\n\r\n", Result::fault, ""},
      {"P21 folded trailer", "0\r\nA: b\r\n c\r\n\r\n", Result::fault, ""},
      {"P21 control byte in a trailer", "0\r\nA: \x01\r\n\r\n", Result::fault, ""},
  };
  for (const ChunkCase& test : cases) feed_everywhere(test);
}

TEST_CASE("Extensions and trailers are bounded over the whole message (P20, P21)") {
  std::string many;
  for (int i = 0; i < 100; ++i) many += "1;" + std::string(60, 'e') + "\r\nx\r\n";
  feed_everywhere({"P20 many extensions", many, Result::fault, ""});
  feed_everywhere({"P20 one extension of 64 KiB", one_chunk(";" + std::string(65536, 'e')), Result::fault, ""});
  const std::string fits = std::string(kMaxChunkExtensions - 1, 'e');
  feed_everywhere({"P20 as large as allowed", one_chunk(";" + fits), Result::end, "hello"});
  feed_everywhere({"P20 one byte more", one_chunk(";e" + fits), Result::fault, ""});
  feed_everywhere({"P21 trailers", "0\r\nA: " + std::string(kMaxTrailers, 'b') + "\r\n\r\n", Result::fault, ""});
}

TEST_CASE("A body of many one-byte chunks comes out whole") {
  std::string input;
  for (int i = 0; i < 5000; ++i) input += "1\r\nx\r\n";
  const Outcome outcome = decode(kChunked, input + "0\r\n\r\n", 1000);
  CHECK(outcome.result == Result::end);
  CHECK(outcome.payload == std::string(5000, 'x'));
}

TEST_CASE("Small chunks of one input are gathered: the steps grow with the payload, not with the chunks") {
  for (const std::size_t size : {1, 3, 15, 16, 17, 200}) {
    CAPTURE(size);
    std::string input, payload;
    for (std::size_t i = 0; i < 5000; ++i) {
      payload += std::string(size, static_cast<char>('a' + i % 26));
      input += chunk(payload.substr(payload.size() - size));
    }
    const Outcome outcome = decode(kChunked, input + "0\r\n\r\n", input.size() + 5, kGatherRoom);
    CHECK(outcome.result == Result::end);
    CHECK(outcome.payload == payload);
    CHECK(outcome.payloads <= payload.size() / (kGatherRoom - size) + 1);
  }
}

TEST_CASE("A large chunk is not copied, whatever is before and behind it") {
  const std::string large(kGatherRoom + 1, 'x');
  const std::string input = chunk("a") + chunk("b") + chunk(large) + chunk("c") + chunk("d") + "0\r\n\r\n";
  BodyDecoder decoder(kChunked);
  std::string room(kGatherRoom, '?');
  std::size_t used = 0;
  for (const std::string_view expected : {std::string_view("ab"), std::string_view(large), std::string_view("cd")}) {
    const BodyDecoder::Step step = decoder.feed(std::string_view(input).substr(used), room);
    CHECK(step.payload == expected);
    used += step.consumed;
    const bool copied = step.payload.data() == room.data();
    CHECK(copied == (expected.size() == 2));
  }
  CHECK(decoder.feed(std::string_view(input).substr(used), room).result == Result::end);
}

TEST_CASE("What is gathered is what single steps bring, for chunks and pieces of any size") {
  const unsigned seed = std::random_device{}();
  CAPTURE(seed);
  std::mt19937 random(seed);
  const auto below = [&random](std::size_t limit) { return random() % limit; };
  for (int i = 0; i < 300; ++i) {
    std::string input;
    for (std::size_t chunks = 1 + below(60); chunks > 0; --chunks) {
      std::string one = chunk(std::string(1 + below(below(2) == 0 ? 5 : 600), static_cast<char>('a' + chunks % 26)));
      if (below(8) == 0) one.insert(0, below(6), '0');
      if (below(8) == 0) one.insert(one.find('\r'), ";a=b");
      if (below(60) == 0) one[below(one.size())] = '\n';
      input += one;
    }
    input += "0\r\nA: b\r\n\r\n";
    const Outcome single = decode(kChunked, input, input.size());
    const Outcome gathered = decode(kChunked, input, 1 + below(input.size()), 1 + below(kGatherRoom));
    CHECK(gathered.result == single.result);
    CHECK(gathered.payload == single.payload);
    CHECK(gathered.consumed == single.consumed);
    CHECK(std::string_view(gathered.fault.rule) == single.fault.rule);
    CHECK(gathered.fault.offset == single.fault.offset);
  }
}

TEST_CASE("A length is counted exactly and the next message left alone (P18)") {
  for (const std::size_t step : {1, 3, 100}) {
    const Outcome outcome = decode({Framing::Kind::length, 5}, "helloGET /", step);
    CHECK(outcome.result == Result::end);
    CHECK(outcome.payload == "hello");
    CHECK(outcome.consumed == 5);
  }
  CHECK(decode({Framing::Kind::length, 5}, "hell", 9).result == Result::more);
  CHECK(decode({Framing::Kind::length, 0}, "GET", 9).consumed == 0);
  CHECK(decode({}, "GET", 9).result == Result::end);
}

TEST_CASE("A payload span is as large as the input allows") {
  const std::string megabyte(1 << 20, 'x');
  BodyDecoder length(Framing{Framing::Kind::length, megabyte.size()});
  CHECK(length.feed(megabyte).payload.size() == megabyte.size());
  BodyDecoder chunked(kChunked);
  CHECK(chunked.feed("100000\r\n" + megabyte).payload.size() == megabyte.size());
  BodyDecoder close(Framing{Framing::Kind::until_close, 0});
  CHECK(close.feed(megabyte).payload.size() == megabyte.size());
}

TEST_CASE("More is read of a body in small chunks, as much as fits into the sink, and not more than kMaxFramedRead") {
  BodyDecoder tiny(kChunked), large(kChunked), sized(Framing{Framing::Kind::length, 100});
  CHECK(tiny.read_for(8'192) == 8'192);
  const std::string chunk = "1\r\nx\r\n";
  for (int i = 0; i < 100; ++i) {
    for (std::size_t used = 0; used < chunk.size();) used += tiny.feed(chunk.substr(used)).consumed;
  }
  REQUIRE(tiny.received() == 600);
  CHECK(tiny.read_for(1'000) == 6'000);
  CHECK(tiny.read_for(8'192) == kMaxFramedRead);
  CHECK(tiny.read_for(kMaxFramedRead + 1) == kMaxFramedRead + 1);
  (void)large.feed("3e8\r\n" + std::string(1'000, 'x'));
  CHECK(large.read_for(8'192) == 8'192 * 1'005 / 1'000);
  (void)sized.feed("xxx");
  CHECK(sized.read_for(8'192) == 8'192);
}

TEST_CASE("The end of the connection ends a close-delimited body and cuts every other (P27)") {
  BodyDecoder close(Framing{Framing::Kind::until_close, 0});
  close.feed("abc");
  CHECK_FALSE(close.done());
  CHECK(close.finish());
  CHECK(close.done());
  CHECK(BodyDecoder().finish());
  for (const Framing framing : {kChunked, Framing{Framing::Kind::length, 5}}) {
    BodyDecoder decoder(framing);
    CHECK_FALSE(decoder.finish());
    CHECK(decoder.fault().rule == std::string_view("P27"));
    CHECK(decoder.feed("x").result == Result::fault);
  }
}

TEST_CASE("A fault stays") {
  BodyDecoder decoder(kChunked);
  CHECK(decoder.feed("x").result == Result::fault);
  CHECK(decoder.feed("0\r\n\r\n").result == Result::fault);
  CHECK_FALSE(decoder.finish());
  CHECK(decoder.fault().rule == std::string_view("P20"));
}

TEST_CASE("Chunks that we write decode to what they held") {
  for (const std::size_t size : {std::size_t{1}, std::size_t{15}, std::size_t{16}, std::size_t{70000}}) {
    const std::string text = chunk(std::string(size, 'x')) + std::string(kLastChunk);
    CHECK(decode(kChunked, text, 4096).payload.size() == size);
  }
  char head[kMaxChunkHead];
  CHECK(write_chunk_head(~std::size_t{0}, head) == kMaxChunkHead);
}

TEST_CASE("The trailer section is handed out as it came, in whatever pieces (P21)") {
  const std::string before = "5;a=b\r\nhello\r\n0;x\r\n", section = "A: b\r\nC:\r\n\r\n";
  const std::string input = before + section + "GET / HTTP/1.1\r\n";
  for (std::size_t step = 1; step <= input.size(); ++step) {
    CAPTURE(step);
    BodyDecoder decoder(kChunked);
    std::string trailers;
    std::size_t used = 0;
    while (!decoder.done()) {
      const BodyDecoder::Step done = decoder.feed(std::string_view(input).substr(used, step));
      REQUIRE(done.result != Result::fault);
      trailers += done.trailers;
      used += done.consumed;
    }
    CHECK(trailers == section);
    CHECK(used == before.size() + section.size());
    CHECK(decoder.received() == used);
    CHECK(decoder.feed("more").trailers.empty());
  }
  BodyDecoder empty(kChunked);
  CHECK(empty.feed("0\r\n\r\n").trailers == "\r\n");
  BodyDecoder length(Framing{Framing::Kind::length, 2});
  CHECK(length.feed("ok").trailers.empty());
}
