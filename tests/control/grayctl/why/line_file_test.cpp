#include "control/grayctl/why/line_file.hpp"

#include <doctest/doctest.h>

#include <vector>

#include "tests/control/fixture.hpp"

namespace gray::control {
namespace {

std::vector<std::string> lines_in(const std::string& text) {
  TempDir dir;
  write_file(dir / "f", text);
  LineFile file(dir / "f");
  std::vector<std::string> lines;
  for (std::string_view line; file.next(line);) {
    lines.emplace_back(line);
    CHECK(file.number() == lines.size());
  }
  CHECK(file.error() == "");
  return lines;
}

using Lines = std::vector<std::string>;

TEST_CASE("lines without their ends") {
  CHECK(lines_in("") == Lines{});
  CHECK(lines_in("a") == Lines{"a"});
  CHECK(lines_in("a\n") == Lines{"a"});
  CHECK(lines_in("a\r\n\r\nb\n\nc") == Lines{"a", "", "b", "", "c"});
  CHECK(lines_in("\n") == Lines{""});
  CHECK(lines_in("a\rb\r\n") == Lines{"a\rb"});
}

TEST_CASE("lines across the reads of the file") {
  std::string text;
  Lines expected;
  for (int i = 0; i < 200'000; ++i) {
    expected.push_back(std::string(static_cast<std::size_t>(i % 7), 'x') + std::to_string(i));
    text += expected.back() + "\n";
  }
  CHECK(lines_in(text) == expected);
}

TEST_CASE("a line that is too long is cut, and the next one is whole") {
  TempDir dir;
  for (const std::size_t size : {LineFile::kMostLine, LineFile::kMostLine + 1, LineFile::kMostLine * 9}) {
    for (const char* end : {"\n", ""}) {
      write_file(dir / "f", "a\n" + std::string(size, 'x') + end + (*end ? "b" : ""));
      LineFile file(dir / "f");
      std::string_view line;
      REQUIRE(file.next(line));
      CHECK_FALSE(file.cut());
      REQUIRE(file.next(line));
      CHECK(line == std::string(LineFile::kMostLine, 'x'));
      CHECK(file.cut() == (size > LineFile::kMostLine));
      CHECK(file.next(line) == (*end != 0));
      if (*end) CHECK(line == "b");
      CHECK_FALSE(file.next(line));
      CHECK(file.error() == "");
    }
  }
}

TEST_CASE("a file that cannot be read") {
  TempDir dir;
  std::string_view line;
  LineFile missing(dir / "none");
  CHECK_FALSE(missing.next(line));
  CHECK(missing.error() == "cannot read " + (dir / "none") + ": No such file or directory");
  LineFile folder(dir.path());
  CHECK_FALSE(folder.next(line));
  CHECK(folder.error() == "cannot read " + dir.path() + ": Is a directory");
}

}  // namespace
}  // namespace gray::control
