#pragma once
// The files of a `[tls.NAME]`: read and checked. A pair that does not belong together, which may be half written, is
// never used.
#include <cstdint>
#include <optional>
#include <string>

#include "config/settings/settings.hpp"
#include "config/shared/tls_secrets.hpp"

namespace gray::master {

inline constexpr std::size_t kMostPem = 1 << 20;  // bytes of one file

struct LoadedIdentity {
  TlsIdentity identity;        // `hosts`: as configured, else the names in the certificate
  std::int64_t not_after = 0;  // seconds since 1970
  std::string fault;           // the file, what is wrong with it, and the remedy; empty: it can be used
};

/// Without checking what the files contain. `fault`: one cannot be read.
LoadedIdentity read_identity(const TlsSettings& settings);
/// The same with all checks. `now`: seconds since 1970.
LoadedIdentity load_identity(const TlsSettings& settings, std::int64_t now);
/// Checks what read_identity() has read.
void check_identity(const TlsSettings& settings, LoadedIdentity& loaded, std::int64_t now);

}  // namespace gray::master
