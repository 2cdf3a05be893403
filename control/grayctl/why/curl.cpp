#include "control/grayctl/why/curl.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <cstdint>
#include <optional>
#include <string_view>

#include "config/base/address.hpp"
#include "control/grayctl/why/curl_options.hpp"

namespace gray::control {
namespace {

std::string encoded(std::string_view text) {
  std::string out;
  for (const char c : text) {
    const bool plain = std::isalnum(static_cast<unsigned char>(c)) || std::string_view("-._~").find(c) != text.npos;
    out += plain ? std::string(1, c) : fmt::format("%{:02X}", static_cast<unsigned char>(c));
  }
  return out;
}

/// RFC 4648.
std::string base64(std::string_view text) {
  constexpr std::string_view kDigits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string out;
  for (std::size_t i = 0; i < text.size(); i += 3) {
    std::uint32_t bits = 0;
    for (std::size_t k = 0; k < 3; ++k)
      bits = bits << 8 | (i + k < text.size() ? static_cast<unsigned char>(text[i + k]) : 0u);
    for (std::size_t k = 0; k < 4; ++k) out += i + k > text.size() ? '=' : kDigits[(bits >> (18 - 6 * k)) & 63];
  }
  return out;
}

struct Url {
  std::string host, path, user;
};

std::optional<Url> read_url(std::string_view text) {
  if (const auto scheme = text.find("://"); scheme != text.npos && scheme < text.find_first_of("/?#")) {
    if (!text.starts_with("http://") && !text.starts_with("https://")) return std::nullopt;
    text.remove_prefix(scheme + 3);
  }
  text = text.substr(0, text.find('#'));
  const std::size_t end = std::min(text.find_first_of("/?"), text.size());
  std::string_view authority = text.substr(0, end);
  Url url;
  if (const auto at = authority.rfind('@'); at != authority.npos) {
    url.user = authority.substr(0, at);
    authority.remove_prefix(at + 1);
  }
  if (authority.empty()) return std::nullopt;
  url.host = authority;
  url.path = text.substr(end);
  if (!url.path.starts_with('/')) url.path.insert(0, "/");
  std::ranges::replace(url.path, ' ', '+');
  return url;
}

bool same_name(std::string_view a, std::string_view b) {
  return std::ranges::equal(a, b, [](unsigned char x, unsigned char y) { return std::tolower(x) == std::tolower(y); });
}

class CurlReader {
 public:
  std::variant<CurlRequest, std::string> read(const std::vector<std::string>& words) {
    for (std::size_t i = 0; i < words.size() && error_.empty(); ++i) {
      const std::string& word = words[i];
      if (word.size() < 2 || word[0] != '-' || options_over_)
        add_url(word);
      else if (word == "--")
        options_over_ = true;
      else if (word[1] == '-')
        read_long(words, i);
      else
        read_letters(words, i);
    }
    if (error_.empty()) finish();
    if (!error_.empty()) return error_;
    return std::move(request_);
  }

 private:
  void read_long(const std::vector<std::string>& words, std::size_t& i) {
    const auto option = curl_option(std::string_view(words[i]).substr(2));
    if (!option) return unknown(words[i]);
    take(*option, words, i);
  }
  /// "-sSL", "-XPOST", "-H" "x: y"
  void read_letters(const std::vector<std::string>& words, std::size_t& i) {
    const std::string_view word = words[i];
    for (std::size_t k = 1; k < word.size(); ++k) {
      const auto option = curl_option(word[k]);
      if (!option) return unknown(fmt::format("-{}", word[k]));
      if (option->valued && k + 1 < word.size()) return apply(*option, std::string(word.substr(k + 1)));
      take(*option, words, i);
    }
  }
  void take(const CurlOption& option, const std::vector<std::string>& words, std::size_t& i) {
    if (option.valued && i + 1 == words.size())
      error_ = fmt::format("curl option {} needs a value", words[i]);
    else
      apply(option, option.valued ? words[++i] : std::string());
  }
  void unknown(const std::string& word) {
    error_ = fmt::format("curl option {} is not known here; leave it out if it does not change the request", word);
  }
  void warn(std::string text) { request_.warnings.push_back(std::move(text)); }
  void set(std::string_view name, const std::string& value) { headers_.push_back(fmt::format("{}: {}", name, value)); }

  void apply(const CurlOption& option, const std::string& value) {
    switch (option.means) {
      case CurlMeans::nothing: return;
      case CurlMeans::ignored:
        return warn(fmt::format("curl option --{} is ignored; it may change the request or its sender", option.name));
      case CurlMeans::header: return add_header(value);
      case CurlMeans::cookie:
        if (value.find('=') == value.npos && !value.empty())
          return warn(fmt::format("the cookies in the file {} are not read; name them with -b NAME=VALUE", value));
        cookies_ += (cookies_.empty() ? "" : "; ") + value;
        return;
      case CurlMeans::agent: agent_ = value; return;
      case CurlMeans::referer: return set("Referer", value);
      case CurlMeans::method: method_ = value; return;
      case CurlMeans::data:
        if (value.starts_with('@') && gets_) warn(fmt::format("the data in the file {} are not read", value.substr(1)));
        [[fallthrough]];
      case CurlMeans::raw_data: data_.push_back(value); return;
      case CurlMeans::encoded_data: data_.push_back(encoded_data(value)); return;
      case CurlMeans::json:
        data_.push_back(value);
        set("Content-Type", "application/json");
        return set("Accept", "application/json");
      case CurlMeans::query: query_.push_back(value.starts_with('+') ? value.substr(1) : encoded_data(value)); return;
      case CurlMeans::form: posts_ = true; return;
      case CurlMeans::upload: puts_ = true; return;
      case CurlMeans::head: heads_ = true; return;
      case CurlMeans::get: gets_ = true; return;
      case CurlMeans::url: return add_url(value);
      case CurlMeans::target: target_ = value; return;
      case CurlMeans::user: return set("Authorization", "Basic " + base64(value));
      case CurlMeans::range: return set("Range", "bytes=" + value);
      case CurlMeans::compressed: return set("Accept-Encoding", "deflate, gzip, br, zstd");
      case CurlMeans::unix_socket: request_.client = "unix"; return;
      case CurlMeans::interface:
        if (parse_ip(value))
          request_.client = value;
        else
          warn(fmt::format("the address of the interface {} is not known; name it with --client IP", value));
        return;
    }
  }
  /// "NAME=TEXT", "=TEXT" or "TEXT"; "NAME@FILE" and "@FILE" are not read.
  static std::string encoded_data(const std::string& value) {
    const std::size_t sign = value.find('=');
    if (sign == value.npos) return encoded(value);
    return (sign == 0 ? "" : value.substr(0, sign + 1)) + encoded(value.substr(sign + 1));
  }
  /// "Name: value"; "Name;" is empty; "Name:" removes a default of curl.
  void add_header(const std::string& text) {
    if (text.starts_with('@')) return warn(fmt::format("the headers in the file {} are not read", text.substr(1)));
    const std::size_t colon = text.find(':');
    if (colon == text.npos) {
      if (text.ends_with(';')) set(text.substr(0, text.size() - 1), "");
      return;
    }
    const std::string name = text.substr(0, colon);
    std::string value = text.substr(colon + 1);
    value.erase(0, std::min(value.find_first_not_of(" \t"), value.size()));
    if (same_name(name, "host")) {
      if (!value.empty()) host_ = value;
    } else if (!value.empty()) {
      set(name, value);
    } else if (same_name(name, "user-agent")) {
      agent_.clear();
    }
  }
  void add_url(const std::string& text) {
    if (has_url_) return warn(fmt::format("only the first URL counts; {} is ignored", text));
    const auto url = read_url(text);
    if (!url) {
      error_ = fmt::format("\"{}\" is not an http URL", text);
      return;
    }
    has_url_ = true;
    request_.host = url->host;
    request_.path = url->path;
    if (!url->user.empty()) set("Authorization", "Basic " + base64(url->user));
  }
  void finish() {
    if (!has_url_) {
      error_ = "the curl command line has no URL";
      return;
    }
    if (gets_) query_.insert(query_.end(), data_.begin(), data_.end());
    for (const std::string& part : query_)
      request_.path += (request_.path.find('?') == request_.path.npos ? "?" : "&") + part;
    const bool posts = posts_ || (!data_.empty() && !gets_);
    request_.method = !method_.empty() ? method_ : heads_ ? "HEAD" : puts_ ? "PUT" : posts ? "POST" : "GET";
    if (!target_.empty()) request_.path = target_;
    if (!host_.empty()) request_.host = host_;
    if (!agent_.empty()) set("User-Agent", agent_);
    if (!cookies_.empty()) set("Cookie", cookies_);
    request_.headers = std::move(headers_);
  }

  CurlRequest request_;
  std::string error_, host_, target_, method_, agent_, cookies_;
  std::vector<std::string> headers_, data_, query_;
  bool options_over_ = false, has_url_ = false, posts_ = false, puts_ = false, heads_ = false, gets_ = false;
};

}  // namespace

std::variant<CurlRequest, std::string> read_curl(const std::vector<std::string>& words) {
  return CurlReader().read(words);
}

}  // namespace gray::control
