#include "grayd/certificates/identity_files.hpp"

#include <fcntl.h>
#include <fmt/core.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "config/base/unique_fd.hpp"
#include "router/tls/certificate.hpp"

namespace gray::master {
namespace {

/// False, and why in `fault`.
bool read_pem(const std::string& path, std::string& text, std::string& fault) {
  const UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  struct stat facts{};
  if (!fd || ::fstat(fd.get(), &facts) != 0) {
    fault = fmt::format("{} cannot be read: {}", path, std::strerror(errno));
    return false;
  }
  if (!S_ISREG(facts.st_mode)) fault = fmt::format("{} is not a file", path);
  text.clear();
  char buffer[16 * 1024];
  while (fault.empty()) {
    const ssize_t got = ::read(fd.get(), buffer, sizeof(buffer));
    if (got == 0) break;
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) fault = fmt::format("{} cannot be read: {}", path, std::strerror(errno));
    if (got > 0) text.append(buffer, static_cast<std::size_t>(got));
    if (text.size() > kMostPem) fault = fmt::format("{} is larger than 1 MiB", path);
  }
  return fault.empty();
}

const std::string& path_of(const TlsSettings& settings, tls::BadPem::File file) {
  switch (file) {
    case tls::BadPem::File::certificate: return settings.certificate;
    case tls::BadPem::File::key: return settings.key;
    case tls::BadPem::File::client_ca: return settings.client_ca;
    case tls::BadPem::File::client_crl: return settings.client_crl;
  }
  return settings.certificate;
}

}  // namespace

LoadedIdentity read_identity(const TlsSettings& settings) {
  LoadedIdentity loaded;
  TlsIdentity& identity = loaded.identity;
  identity.name = settings.name;
  identity.hosts = settings.hosts;
  identity.hosts_given = !settings.hosts.empty();
  identity.client_auth = settings.client_auth;
  bool good = read_pem(settings.certificate, identity.certificate, loaded.fault) &&
              read_pem(settings.key, identity.key, loaded.fault);
  if (identity.client_auth == ClientAuth::off) return loaded;
  good = good && read_pem(settings.client_ca, identity.client_ca, loaded.fault);
  if (good && !settings.client_crl.empty()) read_pem(settings.client_crl, identity.client_crl, loaded.fault);
  return loaded;
}

void check_identity(const TlsSettings& settings, LoadedIdentity& loaded, std::int64_t now) {
  if (!loaded.fault.empty()) return;
  try {
    const tls::CertificateFacts facts = tls::check(loaded.identity, now);
    loaded.not_after = facts.not_after;
    if (loaded.identity.hosts.empty()) loaded.identity.hosts = facts.names;
  } catch (const tls::BadPem& bad) {
    loaded.fault = fmt::format("{}: {}", path_of(settings, bad.file), bad.what());
  }
}

LoadedIdentity load_identity(const TlsSettings& settings, std::int64_t now) {
  LoadedIdentity loaded = read_identity(settings);
  check_identity(settings, loaded, now);
  return loaded;
}

}  // namespace gray::master
