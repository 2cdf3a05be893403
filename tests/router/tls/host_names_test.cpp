#include "router/tls/host_names.hpp"

#include <doctest/doctest.h>

using gray::tls::HostNames;

TEST_CASE("a host gets the certificate of its name, then of the wildcard above it, then the first one") {
  HostNames names;
  names.add("example.com", 1);
  names.add("*.example.com", 2);
  names.add("a.example.com", 3);
  CHECK(names.find("example.com") == 1);
  CHECK(names.find("EXAMPLE.com") == 1);
  CHECK(names.find("example.com.") == 1);
  CHECK(names.find("a.example.com") == 3);
  CHECK(names.find("b.example.com") == 2);
  CHECK(names.find("c.b.example.com") == 0);
  for (const char* const other : {"", ".", "com", "xexample.com", ".example.com"}) {
    CAPTURE(other);
    CHECK(names.find(other) == 0);
  }
  CHECK(names.find(std::string(300, 'a')) == 0);
}

TEST_CASE("the first one that names a host keeps it") {
  HostNames names;
  names.add("a", 1);
  names.add("a", 2);
  CHECK(names.find("a") == 1);
}

TEST_CASE("a name of the configuration goes before every name that only stands in a certificate") {
  HostNames names;
  names.add("guarded.example.com", 1, HostNames::From::certificate);
  names.add("*.example.com", 2);
  names.add("other.example", 1, HostNames::From::certificate);
  CHECK(names.find("guarded.example.com") == 2);
  CHECK(names.find("other.example") == 1);
}
