#include "router/tls/ticket_keys.hpp"

#include <doctest/doctest.h>

#include <stdexcept>

using gray::tls::TicketKeys;

// How sessions are resumed with them: session_test.cpp.
TEST_CASE("a key has 80 bytes in hexadecimal digits") {
  CHECK_NOTHROW(TicketKeys(std::vector{std::string(160, 'a'), std::string(160, '0')}));
  CHECK_NOTHROW(TicketKeys(std::vector<std::string>{}));
  for (const std::string& wrong : {std::string(), std::string(158, 'a'), std::string(162, 'a'), std::string(160, 'g')})
    CHECK_THROWS_AS(TicketKeys(std::vector{wrong}), std::runtime_error);
}
