#pragma once
// Feeds a head to the parser in every way it can arrive: whole, with bytes of the next message behind it, and byte by
// byte. The result must be the same each time, and no prefix may count as complete.
#include <doctest/doctest.h>

#include <string>
#include <string_view>

#include "router/wire/head.hpp"

namespace gray::http {

/// One head for all cases, as a connection reuses its own: content of an earlier case must not appear.
inline RequestHead& shared_request() {
  static RequestHead head;
  return head;
}
inline ResponseHead& shared_response() {
  static ResponseHead head;
  return head;
}

struct HeadCase {
  const char* name;  // begins with the rule's id
  std::string text;
  int status;  // 0: it parses
};

/// `parse`: Parse(std::string_view, Fault&), `bytes`: the bytes of the head that it filled.
template <class ParseHead, class Bytes>
void feed_head(const HeadCase& test, const ParseHead& parse, const Bytes& bytes) {
  CAPTURE(test.name);
  CAPTURE(test.text);
  const Parse expected = test.status == 0 ? Parse::complete : Parse::fault;
  Fault fault;

  for (const std::string_view behind : {"", "GET /next HTTP/1.1\r\nHost: n\r\n\r\n", "\r\n\r\n", "body"}) {
    const std::string text = test.text + std::string(behind);
    REQUIRE(parse(text, fault) == expected);
    if (test.status == 0) {
      CHECK(bytes().size() == test.text.size());
    } else {
      CHECK(fault.status == test.status);
      CHECK(std::string_view(test.name).substr(0, std::string_view(test.name).find(' ')) == fault.rule);
      CHECK(fault.offset <= test.text.size());
    }
  }

  std::size_t searched = 0, end = 0;
  for (std::size_t n = 0; n <= test.text.size(); ++n) {
    const std::string_view prefix(test.text.data(), n);
    if (end == 0) end = find_head_end(prefix, searched);
    const Parse result = parse(prefix, fault);
    if (n < test.text.size()) CHECK(result != Parse::complete);
    if (result == Parse::fault) break;
    if (n == test.text.size()) CHECK(result == expected);
  }
  if (test.status == 0) CHECK(end == test.text.size());
}

inline void feed_request(const HeadCase& test, const HeadLimits& limits = {}) {
  feed_head(
      test, [&](std::string_view text, Fault& fault) { return parse_request(text, limits, shared_request(), fault); },
      [] { return shared_request().bytes; });
}

inline void feed_response(const HeadCase& test, Method to = Method::get, const HeadLimits& limits = {}) {
  feed_head(
      test,
      [&](std::string_view text, Fault& fault) { return parse_response(text, limits, to, shared_response(), fault); },
      [] { return shared_response().bytes; });
}

/// Parses a request that must be good; the views are into `text`, which must outlive them.
inline const RequestHead& good_request(const std::string& text) {
  Fault fault;
  CAPTURE(text);
  const Parse result = parse_request(text, {}, shared_request(), fault);
  CAPTURE(fault.text);
  REQUIRE(result == Parse::complete);
  return shared_request();
}
inline const ResponseHead& good_response(const std::string& text, Method to = Method::get) {
  Fault fault;
  CAPTURE(text);
  const Parse result = parse_response(text, {}, to, shared_response(), fault);
  CAPTURE(fault.text);
  REQUIRE(result == Parse::complete);
  return shared_response();
}

/// "HEAD" lines joined by CRLF with the empty line behind them.
inline std::string head_of(std::initializer_list<std::string_view> lines) {
  std::string text;
  for (const std::string_view line : lines) text.append(line).append("\r\n");
  return text + "\r\n";
}

}  // namespace gray::http
