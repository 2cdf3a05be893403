#pragma once
// A curl command line as the request that it sends, as far as that matters for routing: method, URL, headers, address.
// Nothing is sent or read. Pure.
#include <string>
#include <variant>
#include <vector>

namespace gray::control {

struct CurlRequest {
  std::string method, host, path;
  std::vector<std::string> headers;   // "Name: value"
  std::string client;                 // of --interface; empty: not named
  std::vector<std::string> warnings;  // about options that would matter, but cannot be taken into account
};

/// `words`: behind "curl". An error: one line.
std::variant<CurlRequest, std::string> read_curl(const std::vector<std::string>& words);

}  // namespace gray::control
