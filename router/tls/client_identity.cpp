#include "router/tls/client_identity.hpp"

#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/x509v3.h>

#include <array>
#include <memory>

namespace gray::tls {
namespace {

struct FreeNames {
  void operator()(BIO* bio) const { BIO_free(bio); }
  void operator()(GENERAL_NAMES* names) const { GENERAL_NAMES_free(names); }
};

std::string hash_of(X509* certificate) {
  constexpr char kDigits[] = "0123456789abcdef";
  std::array<unsigned char, 32> hash;
  unsigned size = hash.size();
  if (X509_digest(certificate, EVP_sha256(), hash.data(), &size) != 1) return {};
  std::string text;
  for (const unsigned char byte : hash) {
    text += kDigits[byte >> 4];
    text += kDigits[byte & 15];
  }
  return text;
}

std::string subject_of(X509* certificate) {
  const std::unique_ptr<BIO, FreeNames> out(BIO_new(BIO_s_mem()));
  if (X509_NAME_print_ex(out.get(), X509_get_subject_name(certificate), 0, XN_FLAG_RFC2253) < 0) return {};
  char* bytes = nullptr;
  const long size = BIO_get_mem_data(out.get(), &bytes);
  return size <= 0 ? std::string() : std::string(bytes, static_cast<std::size_t>(size));
}

std::string text_of(const ASN1_STRING* text) {
  return {reinterpret_cast<const char*>(ASN1_STRING_get0_data(text)),
          static_cast<std::size_t>(ASN1_STRING_length(text))};
}

}  // namespace

std::string quoted(std::string_view value) {
  std::string text;
  bool quotes = value.empty();
  for (const char c : value) {
    quotes = quotes || c == ',' || c == ';' || c == '=' || c == '"' || c == ' ' || c == '\\';
    if (c == '"' || c == '\\') text += '\\';
    text += c < ' ' || c > '~' ? '?' : c;
  }
  return quotes ? '"' + text + '"' : text;
}

std::string identity_text(X509* certificate) {
  std::string text = "Hash=" + hash_of(certificate);
  const auto add = [&](const char* name, const std::string& value) {
    const std::string pair = std::string(";") + name + "=" + value;
    if (text.size() + pair.size() <= kMaxIdentity) text += pair;
  };
  const std::string subject = quoted(subject_of(certificate));
  add("Subject", subject.starts_with('"') ? subject : '"' + subject + '"');
  const std::unique_ptr<GENERAL_NAMES, FreeNames> names(
      static_cast<GENERAL_NAMES*>(X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr)));
  for (int i = 0; i < sk_GENERAL_NAME_num(names.get()); ++i) {
    const GENERAL_NAME* const name = sk_GENERAL_NAME_value(names.get(), i);
    if (name->type == GEN_URI) add("URI", quoted(text_of(name->d.uniformResourceIdentifier)));
    if (name->type == GEN_DNS) add("DNS", quoted(text_of(name->d.dNSName)));
  }
  return text;
}

}  // namespace gray::tls
