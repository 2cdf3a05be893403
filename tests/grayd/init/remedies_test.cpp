#include "grayd/init/remedies.hpp"

#include <doctest/doctest.h>

using namespace gray::init;

TEST_CASE("ports are named once, and those open to all are told apart") {
  const std::vector<OpenPort> ports = {{80, false, false, 1}, {80, true, true, 2}, {81, true, false, 3}};
  CHECK(ports_text(ports) == "ports 80, 81");
  CHECK(ports_text({ports[0]}) == "port 80");
  CHECK(open_to_all(ports).size() == 2);
  CHECK(has_port(ports, 81));
  CHECK_FALSE(has_port(ports, 82));
  CHECK(everywhere({ports[2]}).starts_with("it listens on every interface (port 81)"));
}

TEST_CASE("a program without a port and one with another port have their own words") {
  CHECK(elsewhere({}, 4000) == "it listens on no port, grayd gave it 4000");
  CHECK(elsewhere({{80, false, false, 1}}, 4000) == "it listens on port 80, but grayd gave it 4000");
  CHECK(how_to_take_port(PortFrom::argument) != how_to_take_port(PortFrom::environment));
}

TEST_CASE("known mistakes are found by exit code and by words") {
  CHECK(known_mistakes("died-before-ready (exit 1)", {"hello"}, 4000).empty());
  REQUIRE(known_mistakes("died-before-ready (exit 127)", {}, 4000).size() == 1);
  const auto in_use = known_mistakes("", {"Error: listen EADDRINUSE: address already in use"}, 4000);
  REQUIRE(in_use.size() == 1);
  CHECK(in_use[0].find("not 4000") != std::string::npos);
  const auto rails = known_mistakes("", {"#<ArgumentError: Missing `secret_key_base` for 'production' environment"}, 1);
  REQUIRE(rails.size() == 1);
  CHECK(rails[0].find("config/master.key") != std::string::npos);
}
