#include "config/toml/toml_mistakes.hpp"

#include <doctest/doctest.h>

#include <string>

#include "config/settings/settings_toml.hpp"

using namespace gray;

namespace {

std::string remedy_of(std::string_view line) {
  const auto found = syntax_remedy("first = 1\n" + std::string(line) + "\nlast = 2\n", 2);
  if (!found) return {};
  CHECK(found->line == 2);
  return std::to_string(found->column) + ": " + found->message;
}

/// The errors and warnings of a file with one service, whose parts are `service` and `version`, and `top` before it.
std::string complaints(const std::string& version, const std::string& service = "", const std::string& top = "") {
  const std::string text = top + "\n[service.web]\nstable = \"v1\"\n" + service + "\n[service.web.version.v1]\n" +
                           (version.find("command") == version.npos ? "command = [\"node\"]\n" : "") + version + "\n";
  const auto loaded = parse_settings(text, "/etc/gray/g.toml");
  if (const auto* errors = std::get_if<ConfigErrors>(&loaded)) return errors->text;
  return std::get<Settings>(loaded).warnings.text;
}

bool has_line(const std::string& text, std::string_view part) {
  CAPTURE(text);
  CAPTURE(part);
  CHECK(text.find(part) != text.npos);
  return text.find(part) != text.npos;
}

}  // namespace

TEST_CASE("text without quotes is shown with quotes, at its place") {
  CHECK(remedy_of("stable = v1") == "10: text needs quotes: stable = \"v1\"");
  CHECK(remedy_of("  hold =   10s  # ten") == "12: text needs quotes: hold = \"10s\"");
  CHECK(remedy_of("http = [127.0.0.1:8000]") == "9: text needs quotes: \"127.0.0.1:8000\"");
  CHECK(remedy_of("  127.0.0.1:8000,") == "3: text needs quotes: \"127.0.0.1:8000\"");
  CHECK(remedy_of("  /api,") == "3: text needs quotes: \"/api\"");
  CHECK(remedy_of("health = { path = /healthz, rise = 2 }") == "19: text needs quotes: path = \"/healthz\"");
  CHECK(remedy_of("a = [\"x, y\", z]") == "14: text needs quotes: \"z\"");
  CHECK(remedy_of("stable = \u201cv1\u201d") == "10: text needs quotes: stable = \"v1\"");
  CHECK(remedy_of("command = node server.js") == "11: write a list: command = [\"node\", \"server.js\"]");
}

TEST_CASE("other syntaxes are translated") {
  CHECK(remedy_of("weight = 5%") == "10: write weight = 5");
  CHECK(remedy_of("via = True") == "7: write via = true");
  CHECK(remedy_of("pin = off") == "7: write pin = false");
  CHECK(remedy_of("stable: v1") == "7: a key and its value are separated by \"=\": text needs quotes: stable = \"v1\"");
  CHECK(remedy_of("stable: \"v1\"") == "7: a key and its value are separated by \"=\": write stable = \"v1\"");
  CHECK(remedy_of("weight: 5") == "7: a key and its value are separated by \"=\": write weight = 5");
}

TEST_CASE("what is right, or wrong in a different way, gets no remedy") {
  for (const char* line : {"a = 1", "a = -1.5e3", "a = true", "a = \"b\" \"c\"", "[a.b", "a = [1, 2", "", "# a = b",
                           "a = 'it' # x = y", "a = \"unfinished"}) {
    CAPTURE(line);
    CHECK(remedy_of(line).empty());
  }
}

TEST_CASE("a line of a shell is not split into words") {
  CHECK(list_remedy("command", "node server.js").ends_with("command = [\"node\", \"server.js\"]"));
  CHECK(list_remedy("command", "cd x && node a").find("[\"sh\", \"-c\"") != std::string::npos);
  CHECK(list_remedy("hosts", "a.test").ends_with("hosts = [\"a.test\"]"));
}

TEST_CASE("a mistake in an address to listen on has a remedy") {
  CHECK(listener_remedy("8000") == "write \"127.0.0.1:8000\"");
  CHECK(listener_remedy("localhost:8099") == "names are not looked up: write \"127.0.0.1:8099\"");
  CHECK(listener_remedy("http://localhost:8099") == "names are not looked up: write \"127.0.0.1:8099\"");
  CHECK(listener_remedy(":8000") == "write \"0.0.0.0:8000\" for every interface, or \"127.0.0.1:8000\"");
  CHECK(listener_remedy("*:8000") == listener_remedy(":8000"));
  CHECK(listener_remedy("127.0.0.1") == "the port is missing: write \"127.0.0.1:8000\"");
  CHECK(listener_remedy("::1:8000") == "write \"[::1]:8000\"");
  CHECK(listener_remedy("/run/web.sock") == "write \"unix:/run/web.sock\"");
  CHECK(listener_remedy("web.example.com:80") == "names are not looked up: write the IP address of an interface");
  CHECK(listener_remedy("127.0.0.1:99999").empty());
  CHECK(listener_remedy("").empty());
}

TEST_CASE("every mistake in a file names the thing, the place and the remedy") {
  struct Mistake {
    std::string version, service, top;
    std::string_view message;
  };
  const Mistake all[] = {
      {"command = \"node x\"", "", "",
       ":6:11: error: expected a list of strings, found a string: write a list: command = [\"node\", \"x\"]"},
      {"weight = \"5%\"", "", "", "expected a number, found a string: write weight = 5"},
      {"instances = \"2\"", "", "", "expected an integer, found a string: write instances = 2"},
      {"replicas = 2", "", "", "unknown key \"replicas\": write instances = 2"},
      {"health_path = \"/up\"", "", "", "unknown key \"health_path\": write health = { path = \"/healthz\" }"},
      {"instnaces = 2", "", "", "unknown key \"instnaces\", did you mean \"instances\"?"},
      {"max_sockets = 2", "", "", "unknown key \"max_sockets\": it belongs into [service.NAME.limits]"},
      {"", "instances = 2", "", "unknown key \"instances\": it belongs into [service.NAME.version.VERSION]"},
      {"", "", "stable = \"v1\"", "unknown key \"stable\": it belongs into [service.NAME]"},
      {"stop = { signal = \"SIGTERM\" }", "", "", "\"SIGTERM\" is not one of \"TERM\", \"INT\""},
      {"stop = { signal = \"SIGTERM\" }", "", "", ": write \"TERM\""},
      {"", "hosts = \"a.test\"", "", "found a string: write a list: hosts = [\"a.test\"]"},
      {"", "", "[listen]\nhttp = [\"localhost:8099\"]", "names are not looked up: write \"127.0.0.1:8099\""},
      {"", "", "[listen]\nhttp = [\"127.0.0.1:8000\"]\nmetrics = \"127.0.0.1:8000\"",
       "127.0.0.1:8000 is in use by 127.0.0.1:8000 of listen.http: give each listener its own port"},
      {"", "", "[listen]\nmetrics = \"127.0.0.1:9100\"\ndashboard = \"127.0.0.1:9100\"",
       "127.0.0.1:9100 is in use by 127.0.0.1:9100 of listen.metrics: give each listener its own port"},
      {"", "", "[listen]\ndashboard = \"0.0.0.0:9101\"",
       "warning: other hosts may reach 0.0.0.0:9101, and the page has no login: who reaches it sees everything; use"},
      {"", "", "[listen]\ndashboard = \"[::]:9101\"\n[admin]\nwrite = true", "who reaches it can shift users; use"},
      {"", "", "[listen]\nhttp = [\"127.0.0.1:8000\", \"0.0.0.0:8000\"]",
       "0.0.0.0:8000 is in use by 127.0.0.1:8000 of"},
      {"env = { PORT = \"80\" }", "", "", ":7:9: error: env cannot set PORT: grayd gives each worker its own port"},
      {"env = { HOST = \"0.0.0.0\" }", "", "", "env cannot set HOST: "},
      {"env = { NOTIFY_SOCKET = \"/x\" }", "", "", "env cannot set NOTIFY_SOCKET: "},
      {"command = [\"node\", \"x\", \"--port\", \"$PORT\"]", "", "",
       ":6:35: error: \"$PORT\": no shell replaces $PORT here: write command = [\"sh\", \"-c\", "},
      {"command = [\"gunicorn\", \"-b\", \"127.0.0.1:${PORT}\"]", "", "", "no shell replaces $PORT here"},
  };
  for (const Mistake& mistake : all)
    has_line(complaints(mistake.version, mistake.service, mistake.top), mistake.message);
}

TEST_CASE("a small weight is valid, with a question") {
  const std::string text = complaints("command = [\"x\"]\n[service.web.version.v2]\ncommand = [\"x\"]\nweight = 0.05");
  has_line(text, "warning: 0.05 % is 1 user in 2000; did you mean 5?");
  CHECK(complaints("command = [\"x\"]\n[service.web.version.v2]\ncommand = [\"x\"]\nweight = 1").empty());
}

TEST_CASE("variables that reach the program are accepted") {
  CHECK(complaints("command = [\"sh\", \"-c\", \"exec node x --port $PORT\"]").empty());
  CHECK(complaints("command = [\"node\", \"-e\", \"`${PORT}`\"]").empty());
  CHECK(complaints("command = [\"x\", \"$HOME/y\", \"$PORTAL\"]").empty());
  CHECK(complaints("listen = \"unix\"\nenv = { PORT = \"80\", HOST = \"x\" }").empty());
  CHECK(complaints("env = { GREETING = \"hello\" }").empty());
}
