#include "router/policy/asset.hpp"

#include <algorithm>
#include <array>
#include <string_view>

namespace gray::policy {
namespace {

// The destinations that are files of a page, none of them ever HTML.
constexpr std::array<std::string_view, 14> kFiles{
    "script", "style", "worker", "sharedworker", "serviceworker", "audioworklet", "paintworklet",
    "font",   "image", "audio",  "video",        "track",         "manifest",     "json"};
// Those that are pages themselves. Of anything else, such as what a script fetches ("empty"), the path decides.
constexpr std::array<std::string_view, 4> kPages{"document", "iframe", "frame", "fencedframe"};

bool is_below(std::string_view path, std::string_view prefix) {
  if (prefix == "/") return true;
  return path.starts_with(prefix) && (path.size() == prefix.size() || path[prefix.size()] == '/');
}

/// Whether a file of this name may be HTML: it says so, or has no extension.
bool may_be_html(std::string_view path) {
  const std::string_view name = path.substr(path.rfind('/') + 1);
  const std::size_t dot = name.rfind('.');
  if (dot == std::string_view::npos) return true;
  const std::string_view extension = name.substr(dot + 1);
  for (const std::string_view html : {"html", "htm", "xhtml"}) {
    if (http::equals_ignoring_case(extension, html)) return true;
  }
  return false;
}

bool is_html(const http::Response& answer) {
  constexpr std::string_view kHtml = "text/html";
  const http::Field* type = answer.fields.find("content-type");
  if (type == nullptr || !http::equals_ignoring_case(type->value.substr(0, kHtml.size()), kHtml)) return false;
  return type->value.size() == kHtml.size() || std::string_view("; \t").find(type->value[kHtml.size()]) != kHtml.npos;
}

bool is_success(int status) { return status >= 200 && status < 300; }

}  // namespace

Asset judge_asset(const ServiceRoute& service, const http::Request& head) {
  const bool reads = head.method == http::Method::get || head.method == http::Method::head;
  if (!reads || !head.body.empty() || head.fields.find(http::Name::upgrade) != nullptr) return Asset::none;
  if (std::ranges::find(kFiles, head.fetch_dest) != kFiles.end()) return Asset::not_html;
  if (std::ranges::find(kPages, head.fetch_dest) != kPages.end()) return Asset::none;
  const std::string_view path = head.path.substr(0, head.path.find('?'));
  const auto covers = [path](const std::string& prefix) { return is_below(path, prefix); };
  if (std::ranges::none_of(service.assets, covers)) return Asset::none;
  return may_be_html(path) ? Asset::file : Asset::not_html;
}

bool is_missing(Asset asset, const http::Response& answer) {
  if (answer.status == 404) return asset != Asset::none;
  return asset == Asset::not_html && is_success(answer.status) && is_html(answer);
}

bool is_found(Asset asset, const http::Response& answer) {
  if (answer.status == 304) return true;
  return is_success(answer.status) && !is_missing(asset, answer);
}

std::optional<std::uint32_t> next_version(const ServiceRoute& service, std::uint64_t asked, std::uint64_t up) {
  const std::uint64_t left = up & ~asked;
  const auto can = [left](std::uint32_t version) { return (left >> version & 1) != 0; };
  if (can(service.stable)) return service.stable;
  if (service.canary && can(*service.canary)) return service.canary;
  for (std::uint32_t version = 0; version < service.versions.size(); ++version) {
    if (can(version)) return version;
  }
  return std::nullopt;
}

}  // namespace gray::policy
