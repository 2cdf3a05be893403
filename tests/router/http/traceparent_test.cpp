#include "router/http/traceparent.hpp"

#include <doctest/doctest.h>

#include <string>

using namespace gray::http;

namespace {

const std::string kTrace = "0af7651916cd43dd8448eb211c80319c", kSpan = "b7ad6b7169203331";

std::string value(const std::string& version, const std::string& flags, const std::string& behind = "") {
  return version + "-" + kTrace + "-" + kSpan + "-" + flags + behind;
}

std::string forwarded(const std::string& value) {
  const TraceParent parent = read_traceparent(value);
  if (!parent) return "";
  std::string out(kTraceParentText, '?');
  write_traceparent(parent, "00f067aa0ba902b7", out.data());
  return out;
}

}  // namespace

TEST_CASE("a trace is forwarded with its id and flags, and our span as the parent") {
  CHECK(forwarded(value("00", "01")) == "00-" + kTrace + "-00f067aa0ba902b7-01");
  CHECK(forwarded(value("00", "00")) == "00-" + kTrace + "-00f067aa0ba902b7-00");
  CHECK(forwarded(value("00", "a3")) == "00-" + kTrace + "-00f067aa0ba902b7-a3");
}

TEST_CASE("a later version is read as version 00 and forwarded as version 00") {
  CHECK(forwarded(value("01", "ff")) == "00-" + kTrace + "-00f067aa0ba902b7-01");
  CHECK(forwarded(value("fe", "02", "-more of it")) == "00-" + kTrace + "-00f067aa0ba902b7-00");
  CHECK(forwarded(value("cc", "01", "-")) == "00-" + kTrace + "-00f067aa0ba902b7-01");
  CHECK(forwarded(value("cc", "01", ".x")).empty());
}

TEST_CASE("an invalid traceparent is ignored") {
  const std::string zeros_trace(32, '0'), zeros_span(16, '0');
  for (const std::string& text : {
           std::string(),
           value("ff", "01"),
           value("0", "01"),
           value("0F", "01"),
           value("00", "01", "-"),
           value("00", "01", "-x"),
           value("00", "0"),
           value("00", "0g"),
           value("00", "0A"),
           "00-" + zeros_trace + "-" + kSpan + "-01",
           "00-" + kTrace + "-" + zeros_span + "-01",
           "00-0AF7651916cd43dd8448eb211c80319c-" + kSpan + "-01",
           "00-" + kTrace + "-B7ad6b7169203331-01",
           "00_" + kTrace + "-" + kSpan + "-01",
           "00-" + kTrace + "_" + kSpan + "-01",
           "00-" + kTrace + "-" + kSpan + "_01",
           " " + value("00", "01"),
           value("00", "01") + ", " + value("00", "01"),
       }) {
    CAPTURE(text);
    CHECK_FALSE(read_traceparent(text));
  }
}

TEST_CASE("every byte of a traceparent that is changed to another kind of byte makes it invalid") {
  const std::string good = value("00", "01");
  for (std::size_t i = 0; i < good.size(); ++i) {
    for (const char wrong : {' ', 'G', '\t', ':', '\x80'}) {
      std::string text = good;
      text[i] = wrong;
      CHECK_FALSE(read_traceparent(text));
    }
    CHECK_FALSE(read_traceparent(good.substr(0, i)));
  }
}
