#pragma once
// Finds the certificate of a host: its own name first, then the name with "*" for its first label. Pure.
//
// Names that the configuration gives to a certificate go before those that only stand in one: else a certificate with
// many names could take a host away from the table that guards it. A look-up allocates nothing: it is made for each
// request where client certificates are asked for.
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <unordered_map>

namespace gray::tls {

class HostNames {
 public:
  enum class From : std::uint8_t { configuration, certificate };
  /// The first one that adds a name keeps it. "example.com" or "*.example.com", in lower case.
  void add(const std::string& name, std::size_t index, From from = From::configuration) {
    (from == From::configuration ? given_ : found_).emplace(name, index);
  }
  /// The index for a host in any case; 0 for one that is not here.
  std::size_t find(std::string_view host) const;
  static constexpr std::size_t kLongest = 253;  // bytes of a host (RFC 1035 2.3.4)

 private:
  /// Finds a string_view without making a string.
  struct Hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const { return std::hash<std::string_view>()(text); }
  };
  using Names = std::unordered_map<std::string, std::size_t, Hash, std::equal_to<>>;

  Names given_, found_;
};

}  // namespace gray::tls
