#include "grayd/certificates/identity_files.hpp"

#include <ctime>
#include <fstream>

#include "tests/support/made_certificate.hpp"
#include "tests/support/temp_folder.hpp"

using namespace gray;
using namespace gray::master;

namespace {

struct Files {
  test::Folder folder;
  TlsSettings settings{.name = "main", .certificate = path("cert"), .key = path("key")};

  std::string path(const char* name) const { return (folder.path / name).string(); }
  void write(const char* name, const std::string& text) const { std::ofstream(folder.path / name) << text; }
  LoadedIdentity load() const { return load_identity(settings, std::time(nullptr)); }
};

}  // namespace

TEST_CASE_FIXTURE(Files, "a good pair is loaded with the names in its certificate") {
  const auto one = test::made({.name = "a.example"});
  write("cert", one.pem());
  write("key", one.key_pem());
  const auto loaded = load();
  CHECK(loaded.fault.empty());
  CHECK(loaded.identity.hosts == std::vector<std::string>{"a.example"});
  settings.hosts = {"b.example"};
  CHECK(load().identity.hosts == std::vector<std::string>{"b.example"});
}

TEST_CASE_FIXTURE(Files, "a fault names the file") {
  const auto one = test::made({}), other = test::made({});
  CHECK(load().fault == path("cert") + " cannot be read: No such file or directory");
  write("cert", one.pem());
  write("key", other.key_pem());
  CHECK(load().fault == path("key") + ": it is not the key of the certificate");
  write("key", std::string(kMostPem + 1, 'x'));
  CHECK(load().fault == path("key") + " is larger than 1 MiB");
  settings.key = folder.path.string();
  CHECK(load().fault == folder.path.string() + " is not a file");
}

TEST_CASE_FIXTURE(Files, "CA and revocation list are read only if clients are asked") {
  const auto one = test::made({});
  write("cert", one.pem());
  write("key", one.key_pem());
  settings.client_ca = path("ca");
  CHECK(load().fault.empty());
  settings.client_auth = ClientAuth::required;
  CHECK(load().fault == path("ca") + " cannot be read: No such file or directory");
}
