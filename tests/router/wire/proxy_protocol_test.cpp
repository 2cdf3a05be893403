#include "router/wire/proxy_protocol.hpp"

#include <doctest/doctest.h>

#include <string>
#include <vector>

using namespace gray;
using namespace gray::http;

namespace {

struct Case {
  const char* name;
  std::string text;
  Parse expected;
  std::string source = {};  // as Address::text(); empty: the header names no client
  std::size_t offset = 0;   // of the fault
};

std::string source_of(const ProxyHeader& header) { return header.source ? header.source->text() : ""; }

void expect_complete(const Case& test, const ProxyHeader& header) {
  CHECK(header.length == test.text.size());
  CHECK(source_of(header) == test.source);
}

void expect_fault(const Case& test, const Fault& fault) {
  CHECK(fault.status == 400);
  CHECK(std::string(fault.rule) == "PROXY");
  CHECK(*fault.text != '\0');
  CHECK(fault.offset == test.offset);
}

/// Whole, with bytes behind it, and byte by byte: the result is the same each time.
void feed_everywhere(const Case& test) {
  CAPTURE(test.name);
  CAPTURE(test.text);
  for (const std::string behind : {"", "GET / HTTP/1.1\r\n\r\n", "\r\n", "\n", "PROXY UNKNOWN\r\n"}) {
    if (test.expected == Parse::incomplete && !behind.empty()) continue;
    CAPTURE(behind);
    ProxyHeader header;
    Fault fault;
    REQUIRE(parse_proxy_header(test.text + behind, header, fault) == test.expected);
    if (test.expected == Parse::complete) expect_complete(test, header);
    if (test.expected == Parse::fault) expect_fault(test, fault);
  }
  Parse result = Parse::incomplete;
  ProxyHeader header{.length = 7, .source = std::nullopt};
  Fault fault{.status = 7};
  for (std::size_t n = 0; n <= test.text.size() && result == Parse::incomplete; ++n) {
    CAPTURE(n);
    CHECK(header.length == 7);
    CHECK(fault.status == 7);
    result = parse_proxy_header(std::string_view(test.text).substr(0, n), header, fault);
    if (result == Parse::complete) CHECK(n == test.text.size());
  }
  CHECK(result == test.expected);
  if (result == Parse::complete) expect_complete(test, header);
  if (result == Parse::fault) expect_fault(test, fault);
}

std::string padded(std::string line, std::size_t bytes) {
  return line + std::string(bytes - line.size() - 2, 'x') + "\r\n";
}

const std::string kSignature("\r\n\r\n\0\r\nQUIT\n", 12);

/// A version 2 header; its length field is the length of `rest`.
std::string binary(unsigned char command, unsigned char family, const std::string& rest) {
  return kSignature + static_cast<char>(command) + static_cast<char>(family) + static_cast<char>(rest.size() >> 8) +
         static_cast<char>(rest.size() & 255) + rest;
}

std::string extension(unsigned char type, const std::string& value) {
  return std::string{static_cast<char>(type), static_cast<char>(value.size() >> 8),
                     static_cast<char>(value.size() & 255)} +
         value;
}

const std::string kFour("\xc0\x00\x02\x07\x0a\x00\x00\x01\xd9\x03\x00\x50", 12);  // 192.0.2.7:55555 to 10.0.0.1:80
const std::string kSix = std::string("\x20\x01\x0d\xb8", 4) + std::string(11, '\0') + "\x09" + std::string(15, '\0') +
                         "\x01" + std::string("\xd9\x03\x00\x50", 4);  // [2001:db8::9]:55555 to [::1]:80

}  // namespace

TEST_CASE("Version 1: a line names the client (PROXY)") {
  const std::vector<Case> cases = {
      {"IPv4", "PROXY TCP4 192.0.2.7 10.0.0.1 55555 80\r\n", Parse::complete, "192.0.2.7:55555"},
      {"ports at their bounds", "PROXY TCP4 1.2.3.4 5.6.7.8 0 65535\r\n", Parse::complete, "1.2.3.4:0"},
      {"the other bound", "PROXY TCP4 1.2.3.4 5.6.7.8 65535 0\r\n", Parse::complete, "1.2.3.4:65535"},
      {"highest address", "PROXY TCP4 255.255.255.255 255.255.255.255 65535 65535\r\n", Parse::complete,
       "255.255.255.255:65535"},
      {"IPv6", "PROXY TCP6 2001:db8::9 ::1 55555 80\r\n", Parse::complete, "[2001:db8::9]:55555"},
      {"IPv6 in capitals", "PROXY TCP6 2001:DB8::9 ::1 55555 80\r\n", Parse::complete, "[2001:db8::9]:55555"},
      {"the longest IPv6",
       "PROXY TCP6 ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff 65535 65535\r\n",
       Parse::complete, "[ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff]:65535"},
      {"unknown", "PROXY UNKNOWN\r\n", Parse::complete},
      {"unknown with what it would say", "PROXY UNKNOWN ffff::1 ffff::2 1 2\r\n", Parse::complete},
      {"unknown with anything", "PROXY UNKNOWN  !~ \r\n", Parse::complete},
      {"unknown, 107 bytes", padded("PROXY UNKNOWN ", 107), Parse::complete},
      {"half a line", "PROXY TCP4 192.0.2.7 10.0", Parse::incomplete},
      {"CR and nothing yet", "PROXY UNKNOWN\r", Parse::incomplete},
      {"nothing", "", Parse::incomplete},
  };
  for (const Case& test : cases) feed_everywhere(test);
}

TEST_CASE("Version 1: what is not exactly a header is refused (PROXY)") {
  const std::vector<Case> cases = {
      {"a request", "GET / HTTP/1.1\r\n", Parse::fault, "", 0},
      {"a request that begins alike", "PRO / HTTP/1.1\r\n", Parse::fault, "", 3},
      {"small letters", "proxy UNKNOWN\r\n", Parse::fault, "", 0},
      {"a space before", " PROXY UNKNOWN\r\n", Parse::fault, "", 0},
      {"no family", "PROXY \r\n", Parse::fault, "", 6},
      {"family in small letters", "PROXY tcp4 1.2.3.4 5.6.7.8 1 2\r\n", Parse::fault, "", 6},
      {"a family there is not", "PROXY UDP4 1.2.3.4 5.6.7.8 1 2\r\n", Parse::fault, "", 6},
      {"unknown with a tail", "PROXY UNKNOWNS\r\n", Parse::fault, "", 6},
      {"two spaces after PROXY", "PROXY  TCP4 1.2.3.4 5.6.7.8 1 2\r\n", Parse::fault, "", 6},
      {"two spaces", "PROXY TCP4  1.2.3.4 5.6.7.8 1 2\r\n", Parse::fault, "", 11},
      {"a tab", "PROXY TCP4\t1.2.3.4 5.6.7.8 1 2\r\n", Parse::fault, "", 10},
      {"a space behind", "PROXY TCP4 1.2.3.4 5.6.7.8 1 2 \r\n", Parse::fault, "", 29},
      {"one word more", "PROXY TCP4 1.2.3.4 5.6.7.8 1 2 3\r\n", Parse::fault, "", 29},
      {"one word less", "PROXY TCP4 1.2.3.4 5.6.7.8 1\r\n", Parse::fault, "", 28},
      {"no ports", "PROXY TCP4 1.2.3.4 5.6.7.8\r\n", Parse::fault, "", 26},
      {"no destination", "PROXY TCP4 1.2.3.4\r\n", Parse::fault, "", 18},
      {"no source", "PROXY TCP4\r\n", Parse::fault, "", 10},
      {"IPv6 as TCP4", "PROXY TCP4 ::1 5.6.7.8 1 2\r\n", Parse::fault, "", 11},
      {"IPv4 as TCP6", "PROXY TCP6 ::1 5.6.7.8 1 2\r\n", Parse::fault, "", 15},
      {"a leading zero in an address", "PROXY TCP4 1.2.3.04 5.6.7.8 1 2\r\n", Parse::fault, "", 11},
      {"a short address", "PROXY TCP4 1.2.3 5.6.7.8 1 2\r\n", Parse::fault, "", 11},
      {"a number too high", "PROXY TCP4 1.2.3.4 5.6.7.256 1 2\r\n", Parse::fault, "", 19},
      {"brackets", "PROXY TCP6 [::1] ::1 1 2\r\n", Parse::fault, "", 11},
      {"a zone", "PROXY TCP6 fe80::1%eth0 ::1 1 2\r\n", Parse::fault, "", 11},
      {"a name", "PROXY TCP4 localhost 5.6.7.8 1 2\r\n", Parse::fault, "", 11},
      {"port 65536", "PROXY TCP4 1.2.3.4 5.6.7.8 65536 2\r\n", Parse::fault, "", 27},
      {"destination port 65536", "PROXY TCP4 1.2.3.4 5.6.7.8 1 65536\r\n", Parse::fault, "", 29},
      {"a very large port", "PROXY TCP4 1.2.3.4 5.6.7.8 18446744073709551617 2\r\n", Parse::fault, "", 27},
      {"a port with a leading zero", "PROXY TCP4 1.2.3.4 5.6.7.8 01 2\r\n", Parse::fault, "", 27},
      {"a port of two zeros", "PROXY TCP4 1.2.3.4 5.6.7.8 00 2\r\n", Parse::fault, "", 27},
      {"a signed port", "PROXY TCP4 1.2.3.4 5.6.7.8 +1 2\r\n", Parse::fault, "", 27},
      {"a negative port", "PROXY TCP4 1.2.3.4 5.6.7.8 1 -2\r\n", Parse::fault, "", 29},
      {"a port in hex", "PROXY TCP4 1.2.3.4 5.6.7.8 0x1 2\r\n", Parse::fault, "", 27},
      {"bare LF", "PROXY UNKNOWN\n", Parse::fault, "", 13},
      {"bare CR", "PROXY UNKNOWN\rx\n", Parse::fault, "", 14},
      {"two CR", "PROXY UNKNOWN\r\r\n", Parse::fault, "", 14},
      {"NUL", std::string("PROXY UNKNOWN \0\r\n", 17), Parse::fault, "", 14},
      {"not ASCII", "PROXY UNKNOWN \xc3\xa4\r\n", Parse::fault, "", 14},
      {"108 bytes", padded("PROXY UNKNOWN ", 108), Parse::fault, "", 107},
      {"109 bytes", padded("PROXY UNKNOWN ", 109), Parse::fault, "", 107},
  };
  for (const Case& test : cases) feed_everywhere(test);
}

TEST_CASE("Version 2: a binary header names the client (PROXY)") {
  const std::string most = extension(0x04, std::string(kMaxProxyHeader - 16 - 12 - 3, 'x'));
  const std::vector<Case> cases = {
      {"IPv4", binary(0x21, 0x11, kFour), Parse::complete, "192.0.2.7:55555"},
      {"IPv6", binary(0x21, 0x21, kSix), Parse::complete, "[2001:db8::9]:55555"},
      {"extensions are skipped", binary(0x21, 0x11, kFour + extension(0x01, "h2") + extension(0x04, "")),
       Parse::complete, "192.0.2.7:55555"},
      {"extensions behind IPv6", binary(0x21, 0x21, kSix + extension(0xee, std::string(300, 'x'))), Parse::complete,
       "[2001:db8::9]:55555"},
      {"2048 bytes", binary(0x21, 0x11, kFour + most), Parse::complete, "192.0.2.7:55555"},
      {"local", binary(0x20, 0x00, ""), Parse::complete},
      {"local with addresses", binary(0x20, 0x11, kFour), Parse::complete},
      {"local with less than addresses", binary(0x20, 0x21, "abc"), Parse::complete},
      {"unspecified", binary(0x21, 0x00, ""), Parse::complete},
      {"unspecified with something", binary(0x21, 0x00, "\x01"), Parse::complete},
      {"IPv4, datagram", binary(0x21, 0x12, kFour), Parse::complete},
      {"IPv6, datagram", binary(0x21, 0x22, kSix), Parse::complete},
      {"unix", binary(0x21, 0x31, std::string(216, 'p')), Parse::complete},
      {"unix, datagram", binary(0x21, 0x32, std::string(216, 'p')), Parse::complete},
      {"the signature alone", kSignature, Parse::incomplete},
      {"addresses to come", binary(0x21, 0x11, kFour).substr(0, 27), Parse::incomplete},
  };
  for (const Case& test : cases) feed_everywhere(test);
}

TEST_CASE("Version 2: what is not exactly a header is refused (PROXY)") {
  const std::string more = extension(0x04, std::string(kMaxProxyHeader - 16 - 12 - 3 + 1, 'x'));
  std::vector<Case> cases = {
      {"version 1 in version 2", binary(0x11, 0x11, kFour), Parse::fault, "", 12},
      {"version 3", binary(0x31, 0x11, kFour), Parse::fault, "", 12},
      {"command 2", binary(0x22, 0x11, kFour), Parse::fault, "", 12},
      {"command 15", binary(0x2f, 0x11, kFour), Parse::fault, "", 12},
      {"no such family", binary(0x21, 0x41, kFour), Parse::fault, "", 13},
      {"no such transport", binary(0x21, 0x13, kFour), Parse::fault, "", 13},
      {"a family without transport", binary(0x21, 0x10, kFour), Parse::fault, "", 13},
      {"a transport without family", binary(0x21, 0x01, kFour), Parse::fault, "", 13},
      {"local of no such family", binary(0x20, 0xff, ""), Parse::fault, "", 13},
      {"IPv4, a byte short", binary(0x21, 0x11, kFour.substr(1)), Parse::fault, "", 14},
      {"IPv4, nothing", binary(0x21, 0x11, ""), Parse::fault, "", 14},
      {"IPv6 of IPv4's length", binary(0x21, 0x21, kFour), Parse::fault, "", 14},
      {"IPv6, a byte short", binary(0x21, 0x21, kSix.substr(1)), Parse::fault, "", 14},
      {"unix, a byte short", binary(0x21, 0x31, std::string(215, 'p')), Parse::fault, "", 14},
      {"2049 bytes", binary(0x21, 0x11, kFour + more), Parse::fault, "", 14},
      {"65551 bytes", binary(0x20, 0x00, std::string(65535, 'x')), Parse::fault, "", 14},
      {"half an extension head", binary(0x21, 0x11, kFour + std::string("\x04\x00", 2)), Parse::fault, "", 28},
      {"an extension that is short by one", binary(0x21, 0x11, kFour + std::string("\x04\x00\x02x", 4)), Parse::fault,
       "", 28},
      {"the second one is broken", binary(0x21, 0x11, kFour + extension(0x04, "") + "\x04"), Parse::fault, "", 31},
      {"extensions of IPv6", binary(0x21, 0x21, kSix + "\x04"), Parse::fault, "", 52},
      {"an empty line before a request", "\r\nGET / HTTP/1.1\r\n\r\n", Parse::fault, "", 2},
  };
  for (std::size_t at = 1; at < kSignature.size(); ++at) {
    std::string broken = binary(0x21, 0x11, kFour);
    broken[at] ^= 1;
    cases.push_back({"a wrong byte in the signature", broken, Parse::fault, "", at});
  }
  for (const Case& test : cases) feed_everywhere(test);
}
