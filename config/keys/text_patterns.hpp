#pragma once
// Regular expressions (ECMA 262) for texts of the configuration, for the schema that editors use. The parsers decide; a
// pattern accepts at least what its parser accepts. tests/integration/schema_test.py compares the two.
#include <string_view>

namespace gray::patterns {

inline constexpr std::string_view kName = "^[A-Za-z0-9_-]{1,64}$";
inline constexpr std::string_view kToken = "^[!#$%&'*+.^_`|~0-9A-Za-z-]+$";
inline constexpr std::string_view kTokenOrNone = "^[!#$%&'*+.^_`|~0-9A-Za-z-]*$";
inline constexpr std::string_view kParameterOrNone = "^[^&=#;+% \\x00]*$";
inline constexpr std::string_view kHost = "^(?:[A-Za-z0-9._-]{2,}|[A-Za-z0-9_-]|\\[[0-9A-Fa-f:.]+\\])$";
inline constexpr std::string_view kTlsHost = "^(?:\\*\\.)?[A-Za-z0-9._-]+$";
inline constexpr std::string_view kPath = "^/[!\"$-)+->@-~]*$";
inline constexpr std::string_view kProbePath = "^(?:/[!-~]*)?$";
inline constexpr std::string_view kProbeHost = "^[!$-+\\-.0->A-\\[\\]-~]*$";
/// A port has leading zeros at most.
#define GRAY_OCTET "(?:25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])"
#define GRAY_IPV4 GRAY_OCTET "(?:\\." GRAY_OCTET "){3}"
#define GRAY_TCP           \
  "(?:" GRAY_IPV4          \
  "|\\[[0-9A-Fa-f:.]+\\])" \
  ":0*(?:6553[0-5]|655[0-2][0-9]|65[0-4][0-9]{2}|6[0-4][0-9]{3}|[1-5][0-9]{4}|[0-9]{1,4})"
#define GRAY_NETWORK                    \
  GRAY_IPV4                             \
  "(?:/0*(?:3[0-2]|[12][0-9]|[0-9]))?|" \
  "[0-9A-Fa-f.]*:[0-9A-Fa-f:.]*(?:/0*(?:12[0-8]|1[01][0-9]|[1-9]?[0-9]))?"
inline constexpr std::string_view kListener = "^(?:unix:[^\\x00]+|" GRAY_TCP ")$";
inline constexpr std::string_view kTcpAddressOrNone = "^(?:" GRAY_TCP ")?$";
inline constexpr std::string_view kNetwork = "^(?:" GRAY_NETWORK ")$";
inline constexpr std::string_view kNetworkOrUnix = "^(?:unix|" GRAY_NETWORK ")$";
#undef GRAY_NETWORK
#undef GRAY_TCP
#undef GRAY_IPV4
#undef GRAY_OCTET
inline constexpr std::string_view kIdentity = "^(?:client-ip|(?:cookie|header|issue):[!#$%&'*+.^_`|~0-9A-Za-z-]+)$";
/// Without blanks around it.
inline constexpr std::string_view kUser = "^[^ \\t\\r\\x00](?:[^\\x00]*[^ \\t\\r\\x00])?$";
inline constexpr std::string_view kFieldValue =
    "^(?:[^\\x00-\\x20\\x7f](?:[^\\x00-\\x08\\x0a-\\x1f\\x7f]*[^\\x00-\\x20\\x7f])?)?$";
inline constexpr std::string_view kVariable = "^[^=\\x00]+$";

}  // namespace gray::patterns
