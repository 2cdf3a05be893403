#include "grayd/process/command_line.hpp"

#include <doctest/doctest.h>

#include <vector>

using namespace gray::master;
using Mode = CommandLine::Mode;

namespace {

CommandLine parse(std::vector<const char*> arguments) {
  arguments.insert(arguments.begin(), "grayd");
  return parse_command_line(static_cast<int>(arguments.size()), arguments.data());
}

}  // namespace

TEST_CASE("a configuration is served or checked") {
  CHECK(parse({"--config", "a.toml"}).mode == Mode::serve);
  CHECK(parse({"--config", "a.toml"}).config == "a.toml");
  CHECK(parse({"--config=a.toml", "--check"}).mode == Mode::check);
}

TEST_CASE("an invalid command line is a usage error with a hint") {
  for (const auto& arguments : std::vector<std::vector<const char*>>{
           {}, {"--check"}, {"--conf", "a.toml"}, {"--config"}, {"serve"}, {"router"}, {"router", "--channel", "x"}}) {
    const auto line = parse(arguments);
    CHECK(line.mode == Mode::leave);
    CHECK(line.exit_code == 2);
    CHECK(line.error.find("Try: grayd --help") != std::string::npos);
  }
}

TEST_CASE("a mistyped option is named, with the one that was probably meant") {
  const std::string help = "\nTry: grayd --help\n";
  CHECK(parse({"--conf", "a.toml"}).error == "grayd: unknown option \"--conf\", did you mean \"--config\"?" + help);
  CHECK(parse({"--confg=a.toml"}).error == "grayd: unknown option \"--confg\", did you mean \"--config\"?" + help);
  CHECK(parse({"--config", "a.toml", "-x"}).error == "grayd: unknown option \"-x\"" + help);
  CHECK(parse({"a.toml"}).error ==
        "grayd: unexpected argument \"a.toml\": a configuration is given as: grayd --config a.toml" + help);
}

TEST_CASE("a mistyped option or name of a sub-command") {
  const std::string help = "\nTry: grayd init --help\n";
  CHECK(parse({"init", "--prnt"}).error == "grayd: unknown option \"--prnt\", did you mean \"--print\"?" + help);
  CHECK(parse({"init", "--time=9s"}).error ==
        "grayd: unknown option \"--time\"; grayd init has --help, --output, --print, --no-start, --timeout" + help);
  CHECK(parse({"init", "a", "b"}).error == "grayd: unexpected argument \"b\"" + help);
  CHECK(parse({"init", "--config", "a"}).error.starts_with("grayd: unknown option \"--config\"; grayd init has "));
  CHECK(parse({"--print"}).error == "grayd: unknown option \"--print\": it is one of grayd init\nTry: grayd --help\n");
  CHECK(parse({"docter"}).error ==
        "grayd: unknown sub-command \"docter\", did you mean \"doctor\"?\nTry: grayd --help\n");
  CHECK(parse({"inti", "shop"}).error.find("did you mean \"init\"?") != std::string::npos);
  CHECK(parse({"rooter"}).error.find("did you mean") == std::string::npos);
  CHECK(parse({"serve"}).error.find("unknown sub-command \"serve\"; to serve: grayd --config FILE") !=
        std::string::npos);
  CHECK(parse({"version"}).error.find("did you mean \"--version\"?") != std::string::npos);
}

TEST_CASE("what is missing is said with a remedy") {
  CHECK(parse({}).error.find("--config FILE is missing; to write a first file for a project: grayd init") !=
        std::string::npos);
  CHECK(parse({"--config"}).error == "grayd: --config needs a value: --config FILE\nTry: grayd --help\n");
  CHECK(parse({"demo", "--port"}).error == "grayd: --port needs a value: --port PORT\nTry: grayd demo --help\n");
}

TEST_CASE("help and version go to stdout, with exit code 0") {
  const auto help = parse({"--help"});
  CHECK(help.exit_code == 0);
  CHECK(help.output.find("grayd --config /etc/grayd/grayd.toml --check") != std::string::npos);
  CHECK(help.output.find("router") == std::string::npos);
  CHECK(parse({"--version"}).output.starts_with("grayd "));
}

TEST_CASE("the router mode takes descriptors") {
  const auto line =
      parse({"router", "--channel", "3", "--segment", "4", "--freed", "6", "--listeners", "2", "--proxied", "1"});
  CHECK(line.mode == Mode::router);
  CHECK(line.router.channel == 3);
  CHECK(line.router.segment == 4);
  CHECK(line.router.freed == 6);
  CHECK(line.router.access_log == -1);
  CHECK(line.router.listeners == 2);
  CHECK(line.router.proxied == 1);
}

TEST_CASE("the guard mode takes a descriptor and a cgroup") {
  const auto line = parse({"guard", "--groups", "3", "--cgroup", "/sys/x"});
  CHECK(line.mode == Mode::guard);
  CHECK(line.guard.groups == 3);
  CHECK(line.guard.cgroup == "/sys/x");
}

TEST_CASE("resume and check-handoff are modes of their own") {
  const auto line = parse({"--config", "a.toml", "resume", "--state", "8", "--back", "9"});
  CHECK(line.mode == Mode::resume);
  CHECK(line.resume.state == 8);
  CHECK(line.resume.back == 9);
  CHECK(line.resume.config == "a.toml");
  CHECK(parse({"check-handoff"}).mode == Mode::check_handoff);
  CHECK(parse({"resume"}).exit_code == 2);
}

TEST_CASE("init takes a folder and says what is wrong with its options") {
  const auto line = parse({"init", "shop", "--no-start", "--timeout", "1m"});
  CHECK(line.mode == Mode::init);
  CHECK(line.init.folder == "shop");
  CHECK_FALSE(line.init.start);
  CHECK(line.init.timeout == gray::Duration{60'000});
  CHECK(parse({"init"}).init.folder == ".");
  CHECK(parse({"init"}).init.start);
  CHECK(parse({"init"}).init.name == "grayd.toml");
  CHECK(parse({"init", "--print"}).init.name == "-");
  CHECK(parse({"init", "--output", "-"}).init.name == "-");
  CHECK(parse({"init", "--output", "next.toml"}).init.name == "next.toml");
  for (const char* name : {"", "a/b", "..", "/x"}) CHECK(parse({"init", "--output", name}).exit_code == 2);
  CHECK(parse({"init", "--help"}).output.find("grayd init --print") != std::string::npos);
  CHECK(parse({"init", "--timeout", "5"}).error.find("--timeout 5: it must be 1s to 1h") != std::string::npos);
  CHECK(parse({"--config", "a.toml", "init"}).error.find("init takes no --config") != std::string::npos);
  CHECK(parse({"init", "a", "b"}).exit_code == 2);
  CHECK(parse({"init", "--prnt"}).exit_code == 2);
}

TEST_CASE("schema and doctor have their arguments") {
  CHECK(parse({"schema"}).mode == CommandLine::Mode::schema);
  CHECK(parse({"doctor"}).mode == CommandLine::Mode::doctor);
  CHECK(parse({"doctor", "--socket", "a.sock"}).doctor.socket == "a.sock");
  const auto json = parse({"doctor", "--config", "g.toml", "-o", "json"});
  CHECK(json.doctor.config == "g.toml");
  CHECK(json.doctor.json);
  CHECK(parse({"--config", "g.toml", "doctor"}).doctor.config == "g.toml");
  CHECK(parse({"doctor", "-o", "xml"}).exit_code == 2);
  CHECK(parse({"doctor", "--socket", "a", "--config", "b"}).exit_code == 2);
  CHECK(parse({"doctor", "--socet", "a"}).error.find("did you mean \"--socket\"?") != std::string::npos);
}

TEST_CASE("demo takes a port, and its worker nothing") {
  CHECK(parse({"demo"}).mode == Mode::demo);
  CHECK(parse({"demo"}).demo.port == 8000);
  CHECK(parse({"demo", "--port", "0"}).demo.port == 0);
  CHECK(parse({"demo-worker"}).mode == Mode::demo_worker);
  CHECK(parse({"demo", "--port", "70000"}).exit_code == 2);
  CHECK(parse({"demo", "--prt", "1"}).exit_code == 2);
  CHECK(parse({"--config", "a.toml", "demo"}).error.find("demo takes no --config") != std::string::npos);
  CHECK(parse({"--help"}).output.find("demo-worker") == std::string::npos);
}
