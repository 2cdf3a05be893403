#include "grayd/doctor/report.hpp"

#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

#include "tests/grayd/doctor/some_facts.hpp"

using namespace gray;
using namespace gray::doctor;
using namespace gray::test;

TEST_CASE("nothing to find is fine, hints are fine, a warning is not") {
  Facts facts = some_facts();
  CHECK(is_fine(examine(facts)));
  CHECK(examine(facts).findings.empty());
  facts.clock_set = false;
  CHECK(is_fine(examine(facts)));
  facts.config_changed = true;
  CHECK_FALSE(is_fine(examine(facts)));
}

TEST_CASE("the worst finding comes first") {
  Facts facts = some_facts();
  facts.clock_set = false;
  facts.config_changed = true;
  facts.routers.clear();
  const auto found = examine(facts).findings;
  REQUIRE(found.size() == 3);
  CHECK(found[0].severity == Severity::error);
  CHECK(found[2].severity == Severity::hint);
}

TEST_CASE("the text has findings, remedies, what is fine and what was not seen") {
  Facts facts = some_facts();
  facts.config_changed = true;
  facts.services[0].versions[0].workers[0].ports.reset();
  const std::string text = report_text(facts, examine(facts));
  CHECK(mentions(text, "grayd 0.1.0, pid 10, at /run/grayd/grayd.sock\n"));
  CHECK(mentions(text, "\nwarning  /etc/grayd/grayd.toml (drift)\n         the file differs"));
  CHECK(mentions(text, "         remedy: grayctl reload"));
  CHECK(mentions(text, "\nfine:\n  ready            the slowest start took 0.3 s\n"));
  CHECK(mentions(text, "not looked at:\n  port             the sockets of 1 of 2 workers"));
  CHECK(text.ends_with("0 errors, 1 warning, 0 hints; 17 checks are fine\n"));
}

TEST_CASE("the JSON has stable names, and takes any bytes") {
  Facts facts = some_facts();
  facts.config_changed = true;
  facts.config->path = "/etc/\xff";
  const auto json = nlohmann::json::parse(report_json(examine(facts)));
  CHECK(json["schema_version"] == 1);
  REQUIRE(json["findings"].size() == 1);
  const auto& finding = json["findings"][0];
  CHECK(finding["check"] == "drift");
  CHECK(finding["severity"] == "warning");
  for (const char* key : {"subject", "message", "remedy"}) CHECK(finding[key].is_string());
  CHECK(json["passed"][0]["check"] == "port");
  CHECK(json["skipped"].empty());
}
