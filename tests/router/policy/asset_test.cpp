#include "router/policy/asset.hpp"

#include <doctest/doctest.h>

#include "tests/router/policy/request.hpp"

namespace gray::policy {
namespace {

ServiceRoute skewed() {
  ServiceRoute route;
  route.versions.resize(3);
  route.assets = {"/assets", "/static/js"};
  return route;
}

Asset judged(const ServiceRoute& route, std::string_view path, std::string_view destination = "",
             http::Method method = http::Method::get) {
  const auto head = request(path);
  head->fetch_dest = destination;
  head->method = method;
  return asset_of(route, *head);
}

std::unique_ptr<http::Response> answer(int status, std::string_view type = "") {
  auto head = std::make_unique<http::Response>();
  head->status = status;
  if (!type.empty()) head->fields.items[head->fields.count++] = {http::Name::other, "Content-Type", type};
  return head;
}

TEST_CASE("what a browser loads for a page is an asset, a page and the data of scripts are not") {
  const ServiceRoute route = skewed();
  for (const char* destination :
       {"script", "style", "worker", "sharedworker", "serviceworker", "font", "image", "audio", "video", "manifest"})
    CHECK(judged(route, "/main.js", destination) == Asset::not_html);
  for (const char* destination : {"document", "iframe", "empty", "", "Script", "report"})
    CHECK(judged(route, "/main.js", destination) == Asset::none);
}

TEST_CASE("below the paths of `assets` the extension tells what cannot be HTML") {
  const ServiceRoute route = skewed();
  for (const char* path : {"/assets/a.js", "/assets/a.b/c.wasm?x=/a.html", "/static/js/a.css"})
    CHECK(judged(route, path) == Asset::not_html);
  for (const char* path : {"/assets", "/assets/", "/assets/a", "/assets/a.html", "/assets/A.HTM", "/assets?x=a.js"})
    CHECK(judged(route, path, "empty") == Asset::file);
  for (const char* path : {"/", "/asset/a.js", "/assetsx/a.js", "/static/a.js", "/x/assets/a.js", "/?/assets/a.js"})
    CHECK(judged(route, path) == Asset::none);
  for (const char* destination : {"document", "iframe"})
    CHECK(judged(route, "/assets/a.pdf", destination) == Asset::none);
}

TEST_CASE("the path / covers everything") {
  ServiceRoute route = skewed();
  route.assets = {"/"};
  CHECK(judged(route, "/a.js") == Asset::not_html);
  CHECK(judged(route, "/") == Asset::file);
}

TEST_CASE("only a request that may be sent to several versions is one for an asset") {
  ServiceRoute route = skewed();
  CHECK(judged(route, "/assets/a.js", "script", http::Method::head) == Asset::not_html);
  CHECK(judged(route, "/assets/a.js", "script", http::Method::post) == Asset::none);
  CHECK(judged(route, "/assets/a.js", "script", http::Method::options) == Asset::none);
  const auto head = request("/assets/a.js");
  head->body = {http::Body::Kind::sized, 1};
  CHECK(asset_of(route, *head) == Asset::none);
  const auto upgrade = request("/assets/a.js");
  upgrade->fields.items[upgrade->fields.count++] = {http::Name::upgrade, "Upgrade", "websocket"};
  CHECK(asset_of(route, *upgrade) == Asset::none);
}

TEST_CASE("without other versions, or switched off, no request is one for an asset") {
  ServiceRoute route = skewed();
  route.asset_retry = false;
  CHECK(judged(route, "/assets/a.js", "script") == Asset::none);
  route.asset_retry = true;
  route.versions.resize(1);
  CHECK(judged(route, "/assets/a.js", "script") == Asset::none);
}

TEST_CASE("a 404 says that an asset is missing, and so does HTML in the place of a script") {
  CHECK(is_missing(Asset::file, *answer(404)));
  CHECK(is_missing(Asset::not_html, *answer(404, "text/javascript")));
  for (const char* type : {"text/html", "TEXT/HTML; charset=utf-8", "text/html;charset=utf-8"}) {
    CHECK(is_missing(Asset::not_html, *answer(200, type)));
    CHECK_FALSE(is_missing(Asset::file, *answer(200, type)));
  }
  for (const char* type : {"", "text/htmlx", "text/javascript", "text/css"})
    CHECK_FALSE(is_missing(Asset::not_html, *answer(200, type)));
}

TEST_CASE("errors and redirects of the version that was chosen are its answers") {
  for (const int status : {301, 302, 304, 400, 401, 403, 410, 500, 503})
    CHECK_FALSE(is_missing(Asset::not_html, *answer(status, "text/html")));
  CHECK_FALSE(is_missing(Asset::none, *answer(404)));
}

TEST_CASE("a different version has the asset only if it answers with success") {
  CHECK(is_found(Asset::not_html, *answer(200, "text/javascript")));
  CHECK(is_found(Asset::not_html, *answer(206)));
  CHECK(is_found(Asset::not_html, *answer(304)));
  CHECK(is_found(Asset::file, *answer(200, "text/html")));
  CHECK_FALSE(is_found(Asset::not_html, *answer(200, "text/html")));
  for (const int status : {302, 403, 404, 500, 503}) CHECK_FALSE(is_found(Asset::file, *answer(status)));
}

TEST_CASE("each living version is asked once: stable, the canary, then the others") {
  ServiceRoute route = skewed();
  route.versions.resize(5);
  route.stable = 3;
  route.canary = 2;
  CHECK(next_version(route, 0b00001, 0b11111) == 3u);
  CHECK(next_version(route, 0b01001, 0b11111) == 2u);
  CHECK(next_version(route, 0b01101, 0b11111) == 1u);
  CHECK(next_version(route, 0b01111, 0b11111) == 4u);
  CHECK(next_version(route, 0b11111, 0b11111) == std::nullopt);
  CHECK(next_version(route, 0b00001, 0b10001) == 4u);
  CHECK(next_version(route, 0b00001, 0b00001) == std::nullopt);
  route.versions.resize(64);
  CHECK(next_version(route, ~(1ull << 63), ~0ull) == 63u);
}

}  // namespace
}  // namespace gray::policy
