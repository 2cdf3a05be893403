#include "grayd/certificates/certificates.hpp"

#include <fstream>

#include "config/base/archive.hpp"
#include "tests/grayd/fake_owners.hpp"
#include "tests/support/made_certificate.hpp"
#include "tests/support/temp_folder.hpp"

using namespace gray;
using namespace gray::master;

namespace {

struct Watched {
  test::Folder folder;
  asio::io_context io;
  test::KeptEvents kept;
  Settings settings;
  std::vector<TlsSecrets> published;
  Certificates certificates{io, settings, kept, [this](const TlsSecrets& secrets) { published.push_back(secrets); }};

  Watched() {
    settings.https = {*Address::parse("127.0.0.1:8443")};
    settings.tls = {{.name = "main", .certificate = path("cert"), .key = path("key")}};
  }
  std::string path(const char* name) const { return (folder.path / name).string(); }
  void write(const test::MadeCertificate& one) const {
    std::ofstream(folder.path / "cert") << one.pem();
    std::ofstream(folder.path / "key") << one.key_pem();
  }
};

}  // namespace

TEST_CASE_FIXTURE(Watched, "a certificate is published once, and again when it was replaced") {
  const auto one = test::made({.name = "one"}), two = test::made({.name = "two"});
  write(one);
  for (int i = 0; i < 3; ++i) certificates.watch();
  REQUIRE(published.size() == 1);
  CHECK(published[0].identities[0].certificate == one.pem());
  CHECK(published[0].ticket_keys.size() == 3);
  write(two);
  certificates.watch();
  REQUIRE(published.size() == 2);
  CHECK(published[1].identities[0].hosts == std::vector<std::string>{"two"});
  CHECK(published[1].ticket_keys == published[0].ticket_keys);
  REQUIRE(kept.events.size() == 2);
  CHECK(kept.events[1].kind == EventKind::certificate_loaded);
}

TEST_CASE_FIXTURE(Watched, "files that cannot be used change nothing, and are reported once") {
  const auto one = test::made({}), two = test::made({});
  write(one);
  certificates.watch();
  std::ofstream(folder.path / "key") << two.key_pem();
  for (int i = 0; i < 3; ++i) certificates.watch();
  CHECK(published.size() == 1);
  REQUIRE(kept.events.size() == 2);
  CHECK(kept.events[1].kind == EventKind::certificate_failed);
  CHECK(kept.events[1].text ==
        "tls.main: " + path("key") + ": it is not the key of the certificate; the former one stays in force");
  CHECK_FALSE(certificates.view()[0].error.empty());
  CHECK(certificates.view()[0].not_after > 0);
  std::ofstream(folder.path / "cert") << two.pem();
  certificates.watch();
  CHECK(published.size() == 2);
  CHECK(certificates.view()[0].error.empty());
}

TEST_CASE_FIXTURE(Watched, "a file that is gone for a while, and the same content again, need no new certificate") {
  const auto one = test::made({});
  write(one);
  certificates.watch();
  std::filesystem::remove(folder.path / "cert");
  for (int i = 0; i < 3; ++i) certificates.watch();
  CHECK_FALSE(certificates.view()[0].error.empty());
  CHECK(kept.events.size() == 2);
  write(one);
  certificates.watch();
  CHECK(certificates.view()[0].error.empty());
  CHECK(published.size() == 1);
}

TEST_CASE_FIXTURE(Watched, "nothing is read without a listener") {
  settings.https.clear();
  certificates.watch();
  CHECK(published.empty());
  CHECK(kept.events.empty());
}

TEST_CASE_FIXTURE(Watched, "a settings change is noticed at once") {
  write(test::made({}));
  certificates.watch();
  settings.tls.push_back(settings.tls[0]);
  settings.tls[1].name = "other";
  settings.tls[1].hosts = {"other.example"};
  certificates.settings_changed();
  REQUIRE(published.size() == 2);
  CHECK(published[1].identities.size() == 2);
  settings.tls.pop_back();
  certificates.settings_changed();
  REQUIRE(published.size() == 3);
  CHECK(published[2].identities.size() == 1);
}

TEST_CASE_FIXTURE(Watched, "the next image has the same certificates and ticket keys") {
  write(test::made({}));
  certificates.watch();
  Save save;
  certificates.archive(save);
  Watched next;
  next.settings = settings;
  const auto json = save.take();
  Load load(json);
  next.certificates.archive(load);
  next.certificates.watch();
  CHECK(next.published.empty());
  CHECK(next.certificates.view()[0].not_after == certificates.view()[0].not_after);
}
