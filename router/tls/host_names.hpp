#pragma once
// Finds the certificate of a host: its own name first, then the name with "*" for its first label. Pure.
#include <cstddef>
#include <string>
#include <string_view>
#include <unordered_map>

namespace gray::tls {

class HostNames {
 public:
  /// The first one that adds a name keeps it. "example.com" or "*.example.com", in lower case.
  void add(const std::string& name, std::size_t index) { names_.emplace(name, index); }
  /// The index for a host in any case; 0 for one that is not here.
  std::size_t find(std::string_view host) const;
  static constexpr std::size_t kLongest = 253;  // bytes of a host (RFC 1035 2.3.4)

 private:
  std::unordered_map<std::string, std::size_t> names_;
};

}  // namespace gray::tls
