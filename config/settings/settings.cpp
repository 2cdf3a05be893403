#include "config/settings/settings.hpp"

#include <algorithm>
#include <tuple>

namespace gray {
namespace {

template <class Named>
const Named* by_name(const std::vector<Named>& all, std::string_view wanted) {
  const auto found = std::find_if(all.begin(), all.end(), [&](const Named& one) { return one.name == wanted; });
  return found == all.end() ? nullptr : &*found;
}

constexpr std::pair<std::string_view, IdentitySource::Kind> kSources[] = {
    {"cookie:", IdentitySource::Kind::cookie},
    {"header:", IdentitySource::Kind::header},
    {"issue:", IdentitySource::Kind::issued_cookie},
};

}  // namespace

const VersionSettings* ServiceSettings::version(std::string_view wanted) const { return by_name(versions, wanted); }
const ServiceSettings* Settings::service(std::string_view wanted) const { return by_name(services, wanted); }

bool same_process(const VersionSettings& a, const VersionSettings& b) {
  const auto parts = [](const VersionSettings& v) {
    return std::tie(v.command, v.env, v.cwd, v.user, v.listen, v.ready.automatic, v.ready.ways, v.ready.fd);
  };
  return parts(a) == parts(b);
}

bool is_token(std::string_view text) {
  constexpr std::string_view kMarks = "!#$%&'*+-.^_`|~";
  return !text.empty() && std::all_of(text.begin(), text.end(), [&](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || kMarks.find(c) != kMarks.npos;
  });
}

std::optional<IdentitySource> IdentitySource::parse(std::string_view text) {
  if (text == "client-ip") return IdentitySource{};
  for (const auto& [prefix, kind] : kSources)
    if (text.starts_with(prefix) && is_token(text.substr(prefix.size())))
      return IdentitySource{kind, std::string(text.substr(prefix.size()))};
  return std::nullopt;
}

std::string IdentitySource::text() const {
  for (const auto& [prefix, source_kind] : kSources)
    if (source_kind == kind) return std::string(prefix) + name;
  return "client-ip";
}

const char* name_of(Expose expose) {
  constexpr const char* kNames[] = {"none", "version", "decision"};
  return kNames[static_cast<std::size_t>(expose)];
}

std::optional<Expose> expose_from(std::string_view name) {
  for (const Expose expose : {Expose::none, Expose::version, Expose::decision})
    if (name == name_of(expose)) return expose;
  return std::nullopt;
}

const char* name_of(LeakDetection level) {
  constexpr const char* kNames[] = {"off", "simple", "advanced", "paranoid"};
  return kNames[static_cast<std::size_t>(level)];
}

std::optional<LeakDetection> leak_detection_from(std::string_view name) {
  for (std::size_t i = 0; i <= static_cast<std::size_t>(last_value(LeakDetection{})); ++i) {
    const auto level = static_cast<LeakDetection>(i);
    if (name == name_of(level)) return level;
  }
  return std::nullopt;
}

}  // namespace gray
