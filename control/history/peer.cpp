#include "control/history/peer.hpp"

#include <pwd.h>

#include <charconv>
#include <vector>

namespace gray::control {
namespace {

constexpr std::size_t kMostPasswd = 64 * 1024;  // bytes of one entry

/// Takes `word` and a number from the front of `text`.
template <class Number>
bool take(std::string_view& text, std::string_view word, Number& number) {
  if (!text.starts_with(word)) return false;
  text.remove_prefix(word.size());
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{}) return false;
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  return true;
}

}  // namespace

std::optional<Peer> peer_in(std::string_view actor) {
  Peer peer;
  if (!take(actor, "pid ", peer.pid) || !take(actor, ", uid ", peer.uid)) return std::nullopt;
  return peer;
}

std::string user_name(uid_t uid) {
  std::vector<char> text(1024);
  passwd user{};
  passwd* found = nullptr;
  int error = 0;
  while ((error = ::getpwuid_r(uid, &user, text.data(), text.size(), &found)) == ERANGE && text.size() < kMostPasswd)
    text.resize(2 * text.size());
  return error == 0 && found != nullptr ? found->pw_name : "";
}

}  // namespace gray::control
