#include "grayd/handoff/handoff.hpp"

#include <fmt/core.h>
#define XXH_INLINE_ALL
#include <xxhash.h>

#include <stdexcept>

#include "config/shared/channel.hpp"
#include "config/shared/segment.hpp"

namespace gray::master {
namespace {

using nlohmann::json;

/// The numbers and their subjects.
struct Numbered {
  const char* name;
  std::uint64_t ours;
  const char* what;
};
constexpr Numbered kNumbers[] = {{"handoff", kHandoff, "the handed-over state"},
                                 {"protocol", kChannelProtocol, "the router channel"},
                                 {"layout", segment::kLayout, "the shared memory layout"}};

std::string header_of(std::string_view text) {
  return fmt::format("grayd handoff {} {} {:016x}\n", kHandoff, text.size(), XXH3_64bits(text.data(), text.size()));
}

}  // namespace

std::string handoff_numbers() {
  json numbers;
  for (const auto& [name, ours, what] : kNumbers) numbers[name] = ours;
  return numbers.dump() + "\n";
}

std::string handoff_mismatch(std::string_view said) {
  const auto numbers = json::parse(said.substr(0, said.find('\n')), nullptr, false);
  if (!numbers.is_object()) return "it does not report its handoff versions, so it is not grayd, or it is an old grayd";
  for (const auto& [name, ours, what] : kNumbers) {
    const auto theirs = numbers.find(name);
    if (theirs == numbers.end() || !theirs->is_number_unsigned())
      return fmt::format("it does not report its version of {}", what);
    if (*theirs != ours)
      return fmt::format("it uses version {} of {}, this grayd uses version {}", theirs->dump(), what, ours);
  }
  return {};
}

UniqueFd pack_handoff(const json& state) {
  const auto text = state.dump();
  if (text.size() > kMostHandoff / 2)
    throw std::runtime_error(fmt::format("it is too large: {} MiB", text.size() >> 20));
  return sealed_memfd("grayd-handoff", header_of(text) + text);
}

json unpack_handoff(int fd) {
  const auto all = read_memfd(fd, kMostHandoff);
  if (!all) throw std::runtime_error("the handed-over state is missing, not sealed or too large");
  const auto line = all->find('\n');
  const auto text = std::string_view(*all).substr(line == std::string::npos ? all->size() : line + 1);
  if (!all->starts_with(fmt::format("grayd handoff {} ", kHandoff)))
    throw std::runtime_error(fmt::format("the handed-over state starts with \"{}\", but this program reads version {}",
                                         all->substr(0, std::min<std::size_t>(line, 40)), kHandoff));
  if (all->substr(0, line + 1) != header_of(text))
    throw std::runtime_error("the handed-over state is corrupt: wrong length or checksum");
  return json::parse(text);
}

}  // namespace gray::master
