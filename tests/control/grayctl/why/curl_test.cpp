#include "control/grayctl/why/curl.hpp"

#include <doctest/doctest.h>

#include "control/grayctl/why/shell_words.hpp"

namespace gray::control {
namespace {

using Words = std::vector<std::string>;

CurlRequest curl(const std::string& line) {
  auto words = std::get<Words>(shell_words(line));
  auto request = read_curl(words);
  if (auto* error = std::get_if<std::string>(&request)) FAIL(*error);
  return std::get<CurlRequest>(request);
}

std::string curl_error(const std::string& line) {
  auto request = read_curl(std::get<Words>(shell_words(line)));
  return std::holds_alternative<std::string>(request) ? std::get<std::string>(request) : "";
}

TEST_CASE("method, host and path of the URL") {
  const auto check = [](const char* line, const char* method, const char* host, const char* path) {
    CAPTURE(line);
    const CurlRequest request = curl(line);
    CHECK(request.method == method);
    CHECK(request.host == host);
    CHECK(request.path == path);
    CHECK(request.warnings.empty());
  };
  check("http://localhost:8000/x?y=1#z", "GET", "localhost:8000", "/x?y=1");
  check("localhost", "GET", "localhost", "/");
  check("https://[::1]:8443?a=b", "GET", "[::1]:8443", "/?a=b");
  check("example.com/a?u=http://b/c", "GET", "example.com", "/a?u=http://b/c");
  check("-sSL -XPUT --url example.com/a", "PUT", "example.com", "/a");
  check("-I example.com", "HEAD", "example.com", "/");
  check("-d a=1 -d b=2 example.com", "POST", "example.com", "/");
  check("-G -d a=1 --data-urlencode 'b=c d&' example.com/?x", "GET", "example.com", "/?x&a=1&b=c%20d%26");
  check("--url-query version=v2 example.com", "GET", "example.com", "/?version=v2");
  check("--request-target /v example.com/a", "GET", "example.com", "/v");
  check("-F a=@b example.com", "POST", "example.com", "/");
  check("-T file example.com/", "PUT", "example.com", "/");
  check("-H 'Host: web.example' localhost:8000", "GET", "web.example", "/");
  check("-o out -w '%{http_code}' --resolve a:1:b --max-time 3 -k -i -v --compressed example.com", "GET", "example.com",
        "/");
  check("-- -host.example", "GET", "-host.example", "/");
}

TEST_CASE("headers") {
  CHECK(curl("-H 'Cookie: uid=77' -H'X-A:b' -H 'X-Empty;' -H 'Accept:' -H x a").headers ==
        Words{"Cookie: uid=77", "X-A: b", "X-Empty: "});
  CHECK(curl("-b uid=77 --cookie 'version=v2; a=b' -A agent -e here a").headers ==
        Words{"Referer: here", "User-Agent: agent", "Cookie: uid=77; version=v2; a=b"});
  CHECK(curl("-A agent -H 'User-Agent:' a").headers.empty());
  CHECK(curl("-u user:secret a").headers == Words{"Authorization: Basic dXNlcjpzZWNyZXQ="});
  CHECK(curl("http://u:p@a").headers == Words{"Authorization: Basic dTpw"});
  CHECK(curl("-u ab:cd a").headers == Words{"Authorization: Basic YWI6Y2Q="});
  CHECK(curl("-r 0-9 --json '{}' a").headers ==
        Words{"Range: bytes=0-9", "Content-Type: application/json", "Accept: application/json"});
}

TEST_CASE("\"Copy as cURL\" of Chrome and of Firefox") {
  const CurlRequest chrome = curl(R"('http://localhost:8000/api/items?version=v2' \
  -H 'accept: application/json' \
  -H 'accept-language: de-CH,de;q=0.9' \
  -b 'uid=77; theme=dark' \
  -H 'sec-fetch-mode: cors' \
  -H 'user-agent: Mozilla/5.0 (X11; Linux x86_64)' \
  --data-raw $'{"text":"it\'s \u0021"}' \
  --compressed \
  --insecure)");
  CHECK(chrome.method == "POST");
  CHECK(chrome.path == "/api/items?version=v2");
  CHECK(chrome.headers == Words{"accept: application/json", "accept-language: de-CH,de;q=0.9", "sec-fetch-mode: cors",
                                "user-agent: Mozilla/5.0 (X11; Linux x86_64)",
                                "Accept-Encoding: deflate, gzip, br, zstd", "Cookie: uid=77; theme=dark"});
  CHECK(chrome.warnings.empty());
  const CurlRequest firefox =
      curl(R"('http://localhost:8000/' --compressed -X POST -H 'User-Agent: Mozilla/5.0' )"
           R"(-H 'Accept: */*' -H 'Cookie: uid=77' -H 'Sec-Fetch-Dest: empty' --data-raw 'a=@b')");
  CHECK(firefox.method == "POST");
  CHECK(firefox.headers.size() == 5);
  CHECK(firefox.warnings.empty());
}

TEST_CASE("the sender") {
  CHECK(curl("a").client == "");
  CHECK(curl("--interface 10.0.0.7 a").client == "10.0.0.7");
  CHECK(curl("--unix-socket web.sock a").client == "unix");
}

TEST_CASE("what cannot be taken into account gives a warning") {
  const auto warning = [](const char* line) {
    const auto warnings = curl(line).warnings;
    REQUIRE(warnings.size() == 1);
    return warnings.front();
  };
  CHECK(warning("-x proxy:3128 a") == "curl option --proxy is ignored; it may change the request or its sender");
  CHECK(warning("-K file a") == "curl option --config is ignored; it may change the request or its sender");
  CHECK(warning("-b jar a") == "the cookies in the file jar are not read; name them with -b NAME=VALUE");
  CHECK(warning("-H @file a") == "the headers in the file file are not read");
  CHECK(warning("-G -d @file a") == "the data in the file file are not read");
  CHECK(warning("--interface eth0 a") == "the address of the interface eth0 is not known; name it with --client IP");
  CHECK(warning("a b") == "only the first URL counts; b is ignored");
}

TEST_CASE("errors") {
  CHECK(curl_error("") == "the curl command line has no URL");
  CHECK(curl_error("-s") == "the curl command line has no URL");
  CHECK(curl_error("a -H") == "curl option -H needs a value");
  CHECK(curl_error("a --header") == "curl option --header needs a value");
  CHECK(curl_error("--moon a") ==
        "curl option --moon is not known here; leave it out if it does not change the request");
  CHECK(curl_error("-s~ a") == "curl option -~ is not known here; leave it out if it does not change the request");
  CHECK(curl_error("ftp://a") == "\"ftp://a\" is not an http URL");
  CHECK(curl_error("http:///x") == "\"http:///x\" is not an http URL");
  CHECK(curl_error("''") == "\"\" is not an http URL");
}

}  // namespace
}  // namespace gray::control
