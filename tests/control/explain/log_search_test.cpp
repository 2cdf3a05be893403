#include "control/explain/log_search.hpp"

#include <doctest/doctest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>

#include "tests/control/fixture.hpp"

namespace gray::control {
namespace {

using End = LogSearch::End;

std::string log_line(const std::string& id, int time = 0, std::size_t padding = 0) {
  return "{\"time\":\"t" + std::to_string(time) + "\",\"request_id\":\"" + id + "\",\"path\":\"" +
         std::string(padding, 'x') + "\",\"status\":200}";
}

struct Logs {
  TempDir dir;
  std::string file = dir / "access.log";
  LogSearch find(const std::string& id, std::uint64_t most = SearchBounds::kMost) {
    return find_request({file, file + ".1"}, id, {most});
  }
};

TEST_CASE("a request is found in the current and in the rotated file, the newest line first") {
  Logs logs;
  write_file(logs.file + ".1", log_line("old", 1) + "\n" + log_line("twice", 2) + "\n");
  write_file(logs.file, log_line("twice", 3) + "\n" + log_line("twice", 4) + "\n" + log_line("last", 5) + "\n");
  CHECK(logs.find("old").line == log_line("old", 1));
  CHECK(logs.find("old").file == logs.file + ".1");
  CHECK(logs.find("twice").line == log_line("twice", 4));
  CHECK(logs.find("last").line == log_line("last", 5));
  CHECK(logs.find("last").end == End::found);
  CHECK(logs.find("last").file == logs.file);
}

TEST_CASE("a request that is not there: how far the search went") {
  Logs logs;
  write_file(logs.file, log_line("a", 7) + "\n" + log_line("b", 8) + "\n");
  const LogSearch search = logs.find("c");
  CHECK(search.end == End::absent);
  CHECK(search.searched == std::filesystem::file_size(logs.file));
  CHECK(search.oldest == "t7");
  write_file(logs.file + ".1", log_line("z", 1) + "\n");
  CHECK(logs.find("c").oldest == "t1");
  write_file(logs.file, "");
  CHECK(logs.find("b").end == End::absent);
  for (const char* part : {"", "a", "\"", "request_id", "a\",\"path"}) CHECK(logs.find(part).end == End::absent);
}

TEST_CASE("lines across blocks, and a last line without an end") {
  Logs logs;
  std::string text;
  for (int i = 0; i < 6'000; ++i)
    text += log_line("r" + std::to_string(i), i, static_cast<std::size_t>(i % 997)) + "\n";
  REQUIRE(text.size() > 3 * 1024 * 1024);
  write_file(logs.file, text + log_line("end"));
  for (int i = 0; i < 6'000; i += 37) {
    const LogSearch search = logs.find("r" + std::to_string(i));
    REQUIRE(search.line == log_line("r" + std::to_string(i), i, static_cast<std::size_t>(i % 997)));
  }
  CHECK(logs.find("end").line == log_line("end"));
  CHECK(logs.find("none").oldest == "t0");
}

TEST_CASE("the search ends at its bound") {
  Logs logs;
  write_file(logs.file, log_line("early", 1) + "\n" + log_line("late", 2, 500) + "\n");
  const LogSearch search = logs.find("early", 400);
  CHECK(search.end == End::bound);
  CHECK(search.searched == 400);
  CHECK(logs.find("early", 2'000).end == End::found);
  write_file(logs.file + ".1", log_line("first", 0) + "\n");
  CHECK(logs.find("first", std::filesystem::file_size(logs.file)).end == End::bound);
}

TEST_CASE("the search ends when it is told to, before the next block") {
  Logs logs;
  write_file(logs.file, log_line("early", 1) + "\n" + log_line("late", 2, 3 * 1024 * 1024) + "\n");
  int blocks = 2;
  const LogSearch search = find_request({logs.file}, "early", {.over = [&] { return blocks-- == 0; }});
  CHECK(search.end == End::bound);
  CHECK(search.searched == 2 * 1024 * 1024);
  CHECK(find_request({logs.file}, "early", {.over = [] { return false; }}).end == End::found);
}

TEST_CASE("what is no regular file is not read, and holds nobody up") {
  Logs logs;
  REQUIRE(::mkfifo(logs.file.c_str(), 0600) == 0);
  const LogSearch search = logs.find("a");
  CHECK(search.end == End::failed);
  CHECK(search.error == ESPIPE);
}

TEST_CASE("an id with signs that JSON escapes") {
  Logs logs;
  write_file(logs.file, "{\"time\":\"t\",\"request_id\":\"a\\\"b\\\\\",\"x\":1}\n");
  CHECK(logs.find("a\"b\\").end == End::found);
}

TEST_CASE("files that cannot be read") {
  Logs logs;
  LogSearch search = logs.find("a");
  CHECK(search.end == End::failed);
  CHECK(search.error == ENOENT);
  CHECK(search.file == logs.file);
  write_file(logs.file, log_line("a") + "\n");
  std::filesystem::create_directory(logs.file + ".1");
  search = logs.find("b");
  CHECK(search.end == End::failed);
  CHECK(search.error == EISDIR);
  CHECK(search.file == logs.file + ".1");
}

}  // namespace
}  // namespace gray::control
