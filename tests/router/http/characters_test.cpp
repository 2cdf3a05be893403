#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "router/http/characters.hpp"
#include "router/http/message.hpp"

using namespace gray::http;

namespace {

// Every byte at every position of a line: skipping must stop at it exactly if it is not in the class.
template <class Skip, class Is>
void skip_everywhere(const Skip& skip, const Is& is) {
  for (int c = 0; c < 256; ++c) {
    for (std::size_t position = 0; position < 40; ++position) {
      std::string line(40, 'a');
      line[position] = static_cast<char>(c);
      const char* stop = skip(line.data(), line.data() + line.size());
      REQUIRE(static_cast<std::size_t>(stop - line.data()) == (is(line[position]) ? line.size() : position));
    }
  }
}

}  // namespace

TEST_CASE("Skipping stops at the first byte of another class, wherever it stands") {
  skip_everywhere(skip_text, is_text);
  skip_everywhere(skip_token, is_token);
  skip_everywhere(skip_dashed, is_dashed);
  skip_everywhere(skip_target, is_target);
}

TEST_CASE("Text is everything but control bytes, of which only the tab belongs to it") {
  for (int c = 0; c < 256; ++c) CHECK(is_text(static_cast<char>(c)) == (c == '\t' || (c >= 0x20 && c != 0x7f)));
}

TEST_CASE("The classes of bytes are those of the RFC") {
  std::string tokens, hosts;
  for (int c = 0; c < 128; ++c) {
    if (is_token(static_cast<char>(c))) tokens += static_cast<char>(c);
    if (is_host(static_cast<char>(c))) hosts += static_cast<char>(c);
    CHECK(is_target(static_cast<char>(c)) == (c > 0x20 && c < 0x7f && c != '#'));
  }
  const std::string letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZ", small = "abcdefghijklmnopqrstuvwxyz";
  CHECK(tokens == "!#$%&'*+-.0123456789" + letters + "^_`" + small + "|~");
  CHECK(hosts == "!$%&'()*+-.0123456789;=" + letters + "_" + small + "~");
  for (int c = 128; c < 256; ++c) {
    const char byte = static_cast<char>(c);
    CHECK_FALSE((is_token(byte) || is_host(byte) || is_target(byte) || is_hex(byte)));
  }
}

TEST_CASE("A list gives every member, empty ones too") {
  const auto members = [](std::string_view list) {
    std::vector<std::string> all;
    std::string_view member;
    for (bool more = true; next_member(list, more, member);) all.emplace_back(member);
    return all;
  };
  CHECK(members("a, b\t,c") == std::vector<std::string>{"a", "b", "c"});
  CHECK(members("") == std::vector<std::string>{""});
  CHECK(members(",a,") == std::vector<std::string>{"", "a", ""});
}

TEST_CASE("is_word() matches exactly this word") {
  CHECK(is_word("GET", "GET"));
  for (const std::string_view other : {"", "G", "GE", "GETS", "get", "GEX", "PUT"}) CHECK_FALSE(is_word(other, "GET"));
}

TEST_CASE("Case is ignored for letters only") {
  CHECK(equals_ignoring_case("Content-Length", "cONTENT-lENGTH"));
  CHECK_FALSE(equals_ignoring_case("a", "ab"));
  CHECK_FALSE(equals_ignoring_case("[", "{"));
  CHECK_FALSE(equals_ignoring_case("@", "`"));
}

TEST_CASE("Blanks are trimmed at both ends") {
  CHECK(trim_blanks(" \ta b\t ") == "a b");
  CHECK(trim_blanks(" \t ").empty());
}
