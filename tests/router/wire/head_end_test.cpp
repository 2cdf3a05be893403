#include <doctest/doctest.h>

#include <string>

#include "router/wire/head.hpp"

using namespace gray::http;

TEST_CASE("The end of a head is behind its first empty line, however it is cut into pieces") {
  const std::string head = "GET / HTTP/1.1\r\nHost: a\r\n\r\n", text = head + "body\r\n\r\n";
  for (std::size_t step = 1; step <= text.size(); ++step) {
    std::size_t searched = 0, end = 0;
    for (std::size_t n = 0; end == 0 && n < text.size() + step; n += step) {
      end = find_head_end(std::string_view(text).substr(0, n), searched);
    }
    CHECK(end == head.size());
  }
}

TEST_CASE("A head that has not ended has no end") {
  for (const char* text : {"", "G", "GET / HTTP/1.1\r\n", "GET / HTTP/1.1\r\nA: b\r\n\r", "\r", "\n", "a\r\n\rb"}) {
    std::size_t searched = 0;
    CHECK(find_head_end(text, searched) == 0);
    CHECK(searched <= std::string_view(text).size());
  }
}

TEST_CASE("An empty line with a bare LF ends the search so that the parser can refuse it") {
  for (const std::string text : {"GET / HTTP/1.1\n\n", "GET / HTTP/1.1\r\nHost: a\n\r\n", "GET / HTTP/1.1\r\n\n"}) {
    std::size_t searched = 0;
    CHECK(find_head_end(text, searched) == text.size());
  }
}

TEST_CASE("An empty line before the request line does not end the head") {
  const std::string text = "\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n";
  std::size_t searched = 0;
  CHECK(find_head_end(text, searched) == text.size());
}
