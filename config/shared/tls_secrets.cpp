#include "config/shared/tls_secrets.hpp"

#include "config/base/archive.hpp"

namespace gray {

std::string to_json_text(const TlsSecrets& secrets) {
  Save save;
  const_cast<TlsSecrets&>(secrets).archive(save);
  return json_dump(save.take());
}

std::optional<TlsSecrets> tls_secrets_from_json(std::string_view text, std::string& error) {
  try {
    TlsSecrets secrets;
    const auto json = nlohmann::json::parse(text);
    Load load(json);
    secrets.archive(load);
    error.clear();
    load.check_unknown("it");
    if (secrets.identities.empty()) error = "it has no certificate";
    if (secrets.ticket_keys.empty()) error = "it has no ticket key";
    for (const std::string& key : secrets.ticket_keys)
      if (key.size() != 2 * TlsSecrets::kTicketKey) error = "a ticket key has the wrong size";
    return error.empty() ? std::optional(std::move(secrets)) : std::nullopt;
  } catch (const std::exception&) {
    error = "it is not the text of TLS secrets";  // what() could repeat a part of a key
    return std::nullopt;
  }
}

}  // namespace gray
