// How a connection becomes one of HTTP/2, and how its times end it.
#include "tests/router/downstream/http2_client.hpp"

using namespace gray;
using namespace gray::test;

namespace {

Plan impatient(const FakeWorker& worker) {
  Plan plan = one_version(worker);
  plan.limits.idle_timeout = Duration{200};
  plan.limits.head_timeout = Duration{200};
  return plan;
}

}  // namespace

TEST_CASE("an idle connection ends with GOAWAY, without an error") {
  FakeWorker worker(answer_every_request);
  Rig rig(impatient(worker), with_h2c());
  Http2Client client(rig.dial());
  client.request(1, "/");
  REQUIRE(client.until_end(1));
  REQUIRE(client.until_closed());
  CHECK(client.goaways == 1);
  CHECK(client.goaway_code == h2::ErrorCode::no_error);
}

TEST_CASE("a client that stops within its preface is closed") {
  FakeWorker worker(answer_every_request);
  Rig rig(impatient(worker), with_h2c());
  Wire wire = rig.dial();
  wire.write("PRI * HTTP/2.0\r\n");
  CHECK(wire.read_answer().status() == 408);
  Wire silent = rig.dial();
  silent.write(h2::kPreface);
  silent.read_rest();
  CHECK(silent.end() == Wire::End::closed);
}

TEST_CASE("the last request of a connection is followed by GOAWAY") {
  FakeWorker worker(answer_every_request);
  RigOptions options = with_h2c();
  options.settings.max_requests_per_connection = 2;
  Rig rig(one_version(worker), options);
  Http2Client client(rig.dial());
  client.request(1, "/");
  client.request(3, "/");
  CHECK(client.until_end(1));
  CHECK(client.until_end(3));
  CHECK(client.until_closed());
  CHECK(client.goaways >= 1);
}
