#include "config/settings/tls.hpp"

#include <doctest/doctest.h>

using namespace gray;

TEST_CASE("the words of client_auth") {
  CHECK(std::string_view(name_of(ClientAuth::off)) == "off");
  CHECK(std::string_view(name_of(ClientAuth::optional)) == "optional");
  CHECK(std::string_view(name_of(ClientAuth::required)) == "required");
}
