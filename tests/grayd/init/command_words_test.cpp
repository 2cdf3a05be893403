#include "grayd/init/command_words.hpp"

#include <doctest/doctest.h>

using namespace gray::init;
using Words = std::vector<std::string>;

TEST_CASE("a text that needs no shell is split into words, with its assignments apart") {
  CHECK(read_shell_text("node server.js --port 1").words == Words{"node", "server.js", "--port", "1"});
  CHECK(read_shell_text("  node\t'a b' \"c d\"e").words == Words{"node", "a b", "c de"});
  const auto text = read_shell_text("NODE_ENV=production A='x y' node server.js B=1");
  CHECK(text.words == Words{"node", "server.js", "B=1"});
  CHECK(text.env == std::map<std::string, std::string>{{"NODE_ENV", "production"}, {"A", "x y"}});
}

TEST_CASE("a text that needs a shell has no words, and is known to be one program or not") {
  for (const char* text : {"node $APP", "ls *", "a \"$B\"", "a `b`", "~/run", "a \\b"}) {
    CAPTURE(text);
    CHECK(read_shell_text(text).words.empty());
    CHECK(read_shell_text(text).single);
  }
  for (const char* text : {"a && b", "a | b", "a; b", "a >log", "(a)", "a 'b", "A=$B c"}) {
    CAPTURE(text);
    CHECK(read_shell_text(text).words.empty());
    CHECK_FALSE(read_shell_text(text).single);
  }
  CHECK(read_shell_text("").words.empty());
}

TEST_CASE("a shell executes one program, and runs several") {
  CHECK(shell_command("a $PORT") == Words{"sh", "-c", "exec a $PORT"});
  CHECK(shell_command("exec a $PORT") == Words{"sh", "-c", "exec a $PORT"});
  CHECK(shell_command("a && b", false) == Words{"sh", "-c", "a && b"});
}

TEST_CASE("a word is not a part of a longer one") {
  CHECK(has_word("gunicorn==20\nflask", "gunicorn"));
  CHECK(has_word("x\ngunicorn", "gunicorn"));
  CHECK_FALSE(has_word("my-gunicorn gunicorns", "gunicorn"));
}
