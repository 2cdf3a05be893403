#include "control/grayctl/why/curl_options.hpp"

#include <string>

namespace gray::control {
namespace {

constexpr CurlOption kOptions[] = {
    {"header", 'H', true, CurlMeans::header},
    {"cookie", 'b', true, CurlMeans::cookie},
    {"user-agent", 'A', true, CurlMeans::agent},
    {"referer", 'e', true, CurlMeans::referer},
    {"request", 'X', true, CurlMeans::method},
    {"data", 'd', true, CurlMeans::data},
    {"data-ascii", 0, true, CurlMeans::data},
    {"data-binary", 0, true, CurlMeans::data},
    {"data-raw", 0, true, CurlMeans::raw_data},
    {"data-urlencode", 0, true, CurlMeans::encoded_data},
    {"json", 0, true, CurlMeans::json},
    {"url-query", 0, true, CurlMeans::query},
    {"form", 'F', true, CurlMeans::form},
    {"form-string", 0, true, CurlMeans::form},
    {"upload-file", 'T', true, CurlMeans::upload},
    {"head", 'I', false, CurlMeans::head},
    {"get", 'G', false, CurlMeans::get},
    {"url", 0, true, CurlMeans::url},
    {"request-target", 0, true, CurlMeans::target},
    {"user", 'u', true, CurlMeans::user},
    {"range", 'r', true, CurlMeans::range},
    {"compressed", 0, false, CurlMeans::compressed},
    {"interface", 0, true, CurlMeans::interface},
    {"unix-socket", 0, true, CurlMeans::unix_socket},
    {"abstract-unix-socket", 0, true, CurlMeans::unix_socket},
    {"oauth2-bearer", 0, true, CurlMeans::ignored},
    {"config", 'K', true, CurlMeans::ignored},
    {"proxy", 'x', true, CurlMeans::ignored},
    {"preproxy", 0, true, CurlMeans::ignored},
    {"proxy1.0", 0, true, CurlMeans::ignored},
    {"socks4", 0, true, CurlMeans::ignored},
    {"socks4a", 0, true, CurlMeans::ignored},
    {"socks5", 0, true, CurlMeans::ignored},
    {"socks5-hostname", 0, true, CurlMeans::ignored},
    {"netrc", 'n', false, CurlMeans::ignored},
    {"netrc-file", 0, true, CurlMeans::ignored},
    {"netrc-optional", 0, false, CurlMeans::ignored},
    {"aws-sigv4", 0, true, CurlMeans::ignored},
    {"haproxy-protocol", 0, false, CurlMeans::ignored},
    {"haproxy-clientip", 0, true, CurlMeans::ignored},
    {"variable", 0, true, CurlMeans::ignored},
};

// The others mean nothing for the request. First those without a value, then those with one; a letter in front of '='
// is the short name.
constexpr std::string_view kFlags =
    " anyauth a=append basic ca-native cert-status compressed-ssh create-dirs crlf digest q=disable disable-eprt "
    "disable-epsv disallow-username-in-url doh-cert-status doh-insecure f=fail fail-early fail-with-body "
    "false-start form-escape ftp-create-dirs ftp-pasv ftp-pret ftp-skip-pasv-ip ftp-ssl-ccc ftp-ssl-control "
    "g=globoff http0.9 0=http1.0 http1.1 http2 http2-prior-knowledge http3 http3-only ignore-content-length "
    "i=include k=insecure 4=ipv4 6=ipv6 j=junk-session-cookies l=list-only L=location location-trusted "
    "mail-rcpt-allowfails M=manual metalink mptcp negotiate :=next no-alpn N=no-buffer no-clobber no-keepalive "
    "no-npn no-progress-meter no-sessionid ntlm ntlm-wb out-null Z=parallel parallel-immediate path-as-is "
    "post301 post302 post303 #=progress-bar proxy-anyauth proxy-basic proxy-digest proxy-insecure "
    "proxy-negotiate proxy-ntlm proxy-ssl-allow-beast proxy-ssl-auto-client-cert proxy-tlsv1 p=proxytunnel raw "
    "J=remote-header-name O=remote-name remote-name-all R=remote-time remove-on-error retry-all-errors "
    "retry-connrefused sasl-ir S=show-error s=silent skip-existing socks5-basic socks5-gssapi socks5-gssapi-nec "
    "ssl ssl-allow-beast ssl-auto-client-cert ssl-no-revoke ssl-reqd ssl-revoke-best-effort 2=sslv2 3=sslv3 "
    "styled-output suppress-connect-headers tcp-fastopen tcp-nodelay tftp-no-options tls-earlydata 1=tlsv1 "
    "tlsv1.0 tlsv1.1 tlsv1.2 tlsv1.3 tr-encoding trace-ids trace-time B=use-ascii v=verbose V=version xattr ";
constexpr std::string_view kValued =
    " alt-svc cacert capath E=cert cert-type ciphers connect-timeout connect-to C=continue-at c=cookie-jar "
    "create-file-mode crlfile curves delegation dns-interface dns-ipv4-addr dns-ipv6-addr dns-servers doh-url "
    "D=dump-header ech egd-file engine etag-compare etag-save expect100-timeout ftp-account "
    "ftp-alternative-to-user ftp-method P=ftp-port ftp-ssl-ccc-mode happy-eyeballs-timeout-ms h=help hostpubmd5 "
    "hostpubsha256 hsts ip-tos keepalive-cnt keepalive-time key key-type krb libcurl limit-rate local-port "
    "login-options mail-auth mail-from mail-rcpt max-filesize max-redirs m=max-time noproxy o=output output-dir "
    "parallel-max pass pinnedpubkey proto proto-default proto-redir proxy-cacert proxy-capath proxy-cert "
    "proxy-cert-type proxy-ciphers proxy-crlfile proxy-header proxy-key proxy-key-type proxy-pass "
    "proxy-pinnedpubkey proxy-service-name proxy-tls13-ciphers proxy-tlsauthtype proxy-tlspassword proxy-tlsuser "
    "U=proxy-user pubkey Q=quote random-file rate resolve retry retry-delay retry-max-time sasl-authzid "
    "service-name sigalgs socks5-gssapi-service Y=speed-limit y=speed-time stderr t=telnet-option tftp-blksize "
    "z=time-cond tls-max tls13-ciphers tlsauthtype tlspassword tlsuser trace trace-ascii trace-config "
    "upload-flags vlan-priority w=write-out ";

/// " NAME " or "=NAME ", or " L=" for a letter.
bool lists(std::string_view list, std::string_view name, char letter) {
  if (letter != 0) return list.find(std::string{' ', letter, '='}) != std::string_view::npos;
  for (const char before : {' ', '='})
    if (list.find(before + std::string(name) + ' ') != std::string_view::npos) return true;
  return false;
}

std::optional<CurlOption> find_curl_option(std::string_view name, char letter) {
  for (const CurlOption& option : kOptions)
    if (letter != 0 ? option.letter == letter : option.name == name) return option;
  if (lists(kFlags, name, letter)) return CurlOption{name, letter, false};
  if (lists(kValued, name, letter)) return CurlOption{name, letter, true};
  return std::nullopt;
}

}  // namespace

std::optional<CurlOption> curl_option(std::string_view name) {
  if (name.empty() || name.find_first_of(" =") != std::string_view::npos) return std::nullopt;
  if (const auto found = find_curl_option(name, 0)) return found;
  // Every option without a value has an opposite, "--no-NAME" or without its "no-".
  const auto opposite =
      find_curl_option(name.starts_with("no-") ? std::string(name.substr(3)) : "no-" + std::string(name), 0);
  return opposite && !opposite->valued ? std::optional(CurlOption{name}) : std::nullopt;
}

std::optional<CurlOption> curl_option(char letter) { return letter == 0 ? std::nullopt : find_curl_option({}, letter); }

}  // namespace gray::control
