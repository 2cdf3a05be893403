#pragma once
// What must hold of everything that is parsed again whenever more of it has come: heads, and the PROXY protocol's
// header.
#include <string>
#include <string_view>

#include "router/wire/head.hpp"
#include "tests/fuzz/property.hpp"

namespace gray::fuzz {

inline bool same(const http::Fault& a, const http::Fault& b) {
  return a.status == b.status && std::string_view(a.rule) == b.rule && std::string_view(a.text) == b.text &&
         a.offset == b.offset;
}

/// Parses `input` in every way it may arrive, and requires the same outcome. `parse`: Parse(std::string_view, Fault&);
/// `size`: what the head took that it filled. Returns what the whole gave.
template <class ParseHead, class Size>
http::Parse check_arrival(std::string_view input, Choices& choices, const ParseHead& parse, const Size& size) {
  http::Fault fault, again;
  const http::Parse whole = parse(input, fault);
  const std::size_t taken = whole == http::Parse::complete ? size() : input.size();
  must(taken <= input.size(), "a head takes what there is");

  for (int i = 0; i < 4 && taken > 0; ++i) {
    const Exact prefix(input.substr(0, choices.below(taken)));
    const http::Parse part = parse(prefix.view(), again);
    must(part != http::Parse::complete, "no part of a head is a head");
    if (whole == http::Parse::fault) {
      must(part == http::Parse::incomplete || same(fault, again), "a part is refused for what the whole is refused");
    } else {
      must(part == http::Parse::incomplete, "no part of what is fine is refused");
    }
  }

  for (const std::string_view behind : {"", "\r\n", "\n", " x: y\r\n\r\n", "GET / HTTP/1.1\r\nHost: b\r\n\r\n"}) {
    if (whole == http::Parse::incomplete) break;
    const Exact longer(std::string(input.substr(0, taken)).append(behind));
    const http::Parse more = parse(longer.view(), again);
    must(more == whole, "bytes behind change nothing");
    if (whole == http::Parse::fault) must(same(fault, again), "bytes behind change no fault");
    if (whole == http::Parse::complete) must(size() == taken, "bytes behind are not taken");
  }
  if (whole == http::Parse::fault) must(fault.offset <= input.size(), "a fault is where there are bytes");
  return parse(input, fault);
}

}  // namespace gray::fuzz
