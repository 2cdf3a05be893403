#pragma once
// The options of curl (7.88 and later ones), and what each means for the request. Every option must be known, because
// the value of one must not be taken for the URL. Pure.
#include <cstdint>
#include <optional>
#include <string_view>

namespace gray::control {

enum class CurlMeans : std::uint8_t {
  nothing,  // for the request
  ignored,  // it may change the request, and its effect is not known here
  header,
  cookie,
  agent,
  referer,
  method,
  data,
  raw_data,      // '@' has no meaning
  encoded_data,  // --data-urlencode
  json,
  query,
  form,
  upload,
  head,
  get,
  url,
  target,
  user,
  range,
  compressed,
  interface,
  unix_socket
};

struct CurlOption {
  std::string_view name;  // of "--NAME"
  char letter = 0;        // of "-L"; 0: none
  bool valued = false;
  CurlMeans means = CurlMeans::nothing;
};

std::optional<CurlOption> curl_option(std::string_view name);
std::optional<CurlOption> curl_option(char letter);

}  // namespace gray::control
