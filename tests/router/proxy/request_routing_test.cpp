// From a head to a version: routing, admission, and fields about the client.
#include <map>

#include "tests/router/process/rig.hpp"

using namespace gray;
using namespace gray::test;
using segment::Reason;

namespace {

struct TwoVersions {
  FakeWorker stable{says("stable")}, canary{says("canary")};
  Plan plan{{{stable.address()}, {canary.address()}}};
};

std::uint64_t decided(const Rig& rig, segment::Decision decision, std::uint32_t row) {
  return rig.totals(row).decisions[static_cast<std::size_t>(decision)];
}

}  // namespace

TEST_CASE("a version may be named by param, header or cookie, and the answer says so") {
  TwoVersions two;
  Rig rig(two.plan);
  const struct {
    const char *path, *fields, *decision;
  } named[] = {
      {"/?version=v2", "", "param"},
      {"/", "X-Version: v2\r\n", "header"},
      {"/", "Cookie: version=v2\r\n", "cookie"},
  };
  for (const auto& request : named) {
    const Message answer = rig.get(request.path, request.fields);
    CHECK(answer.body == "canary");
    CHECK(answer.field("x-gray-version") == "v2");
    CHECK(answer.field("x-gray-decision") == request.decision);
  }
  const Message usual = rig.get();
  CHECK(usual.body == "stable");
  CHECK(usual.field("x-gray-decision") == "stable");
  CHECK(eventually([&] { return decided(rig, segment::Decision::stable, 0) == 1; }));
  CHECK(decided(rig, segment::Decision::param, 1) == 1);
  CHECK(decided(rig, segment::Decision::cookie, 1) == 1);
  CHECK(two.canary.seen()[0].has("GET /?version=v2 "));
}

TEST_CASE("the weight sends users to the canary, all of their requests") {
  TwoVersions two;
  two.plan.weight = 50;
  Rig rig(two.plan);
  int canary = 0;
  for (int user = 0; user < 60; ++user) {
    const std::string fields = "X-User: u" + std::to_string(user) + "\r\n";
    const std::string first = rig.get("/", fields).body;
    CHECK(rig.get("/", fields).body == first);
    canary += first == "canary" ? 1 : 0;
  }
  CHECK(canary > 10);
  CHECK(canary < 50);
}

TEST_CASE("a canary without workers takes no bucketed user, and one who names it gets version-down") {
  FakeWorker stable(says("stable"));
  Rig rig({{{stable.address()}, {}}, {}, 100});
  const Message bucketed = rig.get();
  CHECK(bucketed.body == "stable");
  CHECK(bucketed.field("x-gray-decision") == "fallback");
  const Message named = rig.get("/?version=v2");
  CHECK(named.status() == 503);
  CHECK(named.field("x-gray-reason") == "version-down");
  CHECK(named.field("x-gray-version") == "v2");
  CHECK(named.field("retry-after") == "1");
}

TEST_CASE("a request for no service is a 404, and the connection stays open") {
  Rig rig({});
  Wire client = rig.dial();
  for (int i = 0; i < 2; ++i) {
    client.write(Rig::request_for());
    const Message answer = client.read_answer();
    CHECK(answer.status() == 404);
    CHECK(answer.field("x-gray-reason") == "no-route");
    CHECK(answer.field("x-gray-version").empty());
  }
}

TEST_CASE("refusing a request with a body closes: the start of the next one is unknown (P26)") {
  Rig rig({});
  Wire client = rig.dial();
  client.write("POST / HTTP/1.1\r\nHost: test\r\nContent-Length: 1000\r\n\r\npart");
  const Message answer = client.read_answer();
  CHECK(answer.status() == 404);
  CHECK(answer.field("connection") == "close");
  CHECK(client.read_rest().empty());
}

TEST_CASE("every fault of a head has the status and reason of the contract (P8)") {
  FakeWorker worker(says("x"));
  Rig rig({{{worker.address()}}});
  const struct {
    const char *request, *reason;
    int status;
  } faults[] = {
      {"GET / HTTP/1.1\r\n\r\n", "bad-request", 400},
      {"GET / HTTP/2.0\r\nHost: test\r\n\r\n", "unsupported", 505},
      {"POST / HTTP/1.1\r\nHost: test\r\nTransfer-Encoding: gzip\r\n\r\n", "unsupported", 501},
      {"POST / HTTP/1.1\r\nHost: test\r\nContent-Length: 1\r\nExpect: tea\r\n\r\nx", "bad-request", 417},
      {"POST / HTTP/1.1\r\nHost: test\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n", "bad-request", 400},
  };
  for (const auto& fault : faults) {
    CAPTURE(fault.request);
    Wire client = rig.dial();
    client.write(fault.request);
    const Message answer = client.read_answer();
    CHECK(answer.status() == fault.status);
    CHECK(answer.field("x-gray-reason") == fault.reason);
    CHECK(answer.field("connection") == "close");
  }
  CHECK(worker.requests() == 0);
}

TEST_CASE("a service's own limits apply even if another service allows more") {
  FakeWorker worker(says("x"));
  Plan plan{{{worker.address()}}};
  plan.limits.fields = 5;
  plan.limits.body = 10;
  RoutingTable table = *table_of(plan);
  table.services.push_back(table.services[0]);
  table.services[1].hosts = {"wide"};
  table.services[1].limits = {};
  Rig rig(plan);
  rig.on([shared = std::make_shared<const RoutingTable>(table)](proxy::Shard& shard) { shard.apply(shared); });
  const Message fields = rig.get("/", "a: 1\r\nb: 2\r\nc: 3\r\nd: 4\r\ne: 5\r\nf: 6\r\n");
  CHECK(fields.status() == 431);
  CHECK(fields.field("x-gray-reason") == "too-large");
  Wire client = rig.dial();
  client.write("POST / HTTP/1.1\r\nHost: test\r\nContent-Length: 11\r\n\r\nhello world");
  CHECK(client.read_answer().status() == 413);
  CHECK(worker.requests() == 0);
}

TEST_CASE("fields about the client count only behind a trusted proxy (P31)") {
  FakeWorker worker(says("x"));
  const std::string_view claims = "X-Request-Id: claimed\r\nX-Forwarded-For: 192.0.2.7\r\nX-Forwarded-Proto: https\r\n";
  {
    Rig rig({{{worker.address()}}});
    CHECK(rig.get("/", claims).field("x-request-id") != "claimed");
  }
  RigOptions trusting;
  trusting.settings.trusted_proxies = {*Cidr::parse("127.0.0.0/8")};
  Rig rig({{{worker.address()}}}, std::move(trusting));
  CHECK(rig.get("/", claims).field("x-request-id") == "claimed");
  REQUIRE(worker.requests() == 2);
  CHECK(worker.seen()[0].field("x-forwarded-for") == "127.0.0.1");
  CHECK(worker.seen()[0].field("x-forwarded-proto") == "http");
  CHECK(worker.seen()[1].field("x-forwarded-for").starts_with("192.0.2.7"));
  CHECK(worker.seen()[1].field("x-forwarded-proto") == "https");
}

TEST_CASE("a new table routes the next request, also on an existing connection") {
  FakeWorker old_worker(says("old")), new_worker(says("new"));
  Rig rig({{{old_worker.address()}}});
  Wire client = rig.dial();
  client.write(Rig::request_for());
  CHECK(client.read_answer().body == "old");
  rig.apply({{{new_worker.address()}}, {}, 0, 2});
  client.write(Rig::request_for());
  CHECK(client.read_answer().body == "new");
  CHECK(eventually([&] { return old_worker.open() == 0; }));
}

namespace {

constexpr std::string_view kAttributes = "; Path=/; Max-Age=31536000; SameSite=Lax; HttpOnly";

/// The value of the cookie `gid` that an answer sets; empty: none.
std::string issued(const Message& answer) {
  const std::string field(answer.field("set-cookie"));
  if (!field.starts_with("gid=")) return {};
  CHECK(field.substr(4 + 32) == kAttributes);
  return field.substr(4, 32);
}

}  // namespace

TEST_CASE("a user without an identity is issued one, once, and later requests with it are decided like the first one") {
  TwoVersions two;
  two.plan.weight = 50;
  two.plan.identity = {*IdentitySource::parse("issue:gid")};
  Rig rig(two.plan);
  int canary = 0;
  for (int user = 0; user < 40; ++user) {
    const std::string agent = "User-Agent: " + std::to_string(user) + "\r\n";
    const Message first = rig.get("/", agent);
    const std::string value = issued(first);
    REQUIRE(value.size() == 32);
    CHECK(issued(rig.get("/", agent)) == value);
    const Message next = rig.get("/", agent + "Cookie: gid=" + value + "\r\n");
    CHECK(next.body == first.body);
    CHECK(next.field("set-cookie").empty());
    canary += first.body == "canary" ? 1 : 0;
  }
  CHECK(canary > 5);
  CHECK(canary < 35);
}

TEST_CASE("an identity is issued whatever decided, beside the worker's cookies, but not on an answer of the router") {
  FakeWorker stable([](FakeWorker::Call& call) {
    while (call.next()) call.write("HTTP/1.1 200 OK\r\nSet-Cookie: own=1\r\nContent-Length: 0\r\n\r\n");
  });
  Plan plan{{{stable.address()}, {}}};
  plan.identity = {*IdentitySource::parse("header:x-user"), *IdentitySource::parse("issue:gid")};
  Rig rig(plan);
  const Message named = rig.get("/?version=v1");
  CHECK(named.field("x-gray-decision") == "param");
  CHECK(named.head.find("Set-Cookie: own=1\r\n") != std::string::npos);
  CHECK(named.head.find("Set-Cookie: gid=") != std::string::npos);
  CHECK(rig.get("/", "X-User: bob\r\n").head.find("gid=") == std::string::npos);
  CHECK(rig.get("/", "Cookie: gid=whatever this is\r\n").head.find("gid=") == std::string::npos);
  const Message down = rig.get("/?version=v2");
  CHECK(down.status() == 503);
  CHECK(down.field("set-cookie").empty());
}

TEST_CASE("the worker sees the cookie from the second request on, as the client sent it") {
  FakeWorker worker(says("x"));
  Plan plan{{{worker.address()}}};
  plan.identity = {*IdentitySource::parse("issue:gid")};
  Rig rig(plan);
  const std::string value = issued(rig.get());
  rig.get("/", "Cookie: a=b; gid=" + value + "; c=\"d\"\r\n");
  REQUIRE(worker.requests() == 2);
  CHECK(worker.seen()[0].field("cookie").empty());
  CHECK(worker.seen()[1].field("cookie") == "a=b; gid=" + value + "; c=\"d\"");
}

TEST_CASE("a navigation that names a version pins it: the requests of its page are routed by the cookie") {
  TwoVersions two;
  Rig rig(two.plan);
  const std::string navigates = "Sec-Fetch-Mode: navigate\r\nSec-Fetch-Dest: document\r\n";
  const Message page = rig.get("/?version=v2", navigates);
  CHECK(page.field("set-cookie") == "version=v2; Path=/; SameSite=Lax");
  CHECK(rig.get("/main.js", "Cookie: version=v2\r\n").body == "canary");
  const Message back = rig.get("/?version=", navigates + "Cookie: version=v2\r\n");
  CHECK(back.field("set-cookie") == "version=; Path=/; Max-Age=0; SameSite=Lax");
  CHECK(back.body == "stable");
  CHECK(rig.get("/?version=v2").field("set-cookie").empty());
  CHECK(rig.get("/?version=v9", navigates).field("set-cookie").empty());
  CHECK(rig.get("/", navigates).field("set-cookie").empty());
}

TEST_CASE("a pin and an issued identity are set by one answer; behind a proxy that uses TLS they are Secure") {
  TwoVersions two;
  two.plan.identity = {*IdentitySource::parse("issue:gid")};
  RigOptions trusting;
  trusting.settings.trusted_proxies = {*Cidr::parse("127.0.0.0/8")};
  Rig rig(two.plan, std::move(trusting));
  for (const bool https : {false, true}) {
    const std::string proto = std::string("X-Forwarded-Proto: ") + (https ? "https" : "http") + "\r\n";
    const Message page = rig.get("/?version=v2", "Sec-Fetch-Mode: navigate\r\n" + proto);
    CHECK(page.head.find("SameSite=Lax; HttpOnly" + std::string(https ? "; Secure" : "") + "\r\n") != page.head.npos);
    CHECK(page.head.find("Set-Cookie: version=v2; Path=/; SameSite=Lax" + std::string(https ? "; Secure" : "") +
                         "\r\n") != page.head.npos);
  }
  Rig plain(two.plan);
  CHECK(plain.get("/", "X-Forwarded-Proto: https\r\n").head.find("Secure") == std::string::npos);
}

TEST_CASE("with affinity a user stays on one worker, and is served by another one while it is gone") {
  FakeWorker one(says("one")), two(says("two")), three(says("three"));
  Plan plan{{{one.address(), two.address(), three.address()}}};
  plan.affinity = true;
  Rig rig(plan);
  std::map<std::string, int> users;
  std::string user;
  for (int i = 0; i < 60; ++i) {
    const std::string fields = "X-User: u" + std::to_string(i) + "\r\n";
    const std::string first = rig.get("/", fields).body;
    for (int again = 0; again < 3; ++again) CHECK(rig.get("/", fields).body == first);
    ++users[first];
    if (first == "three") user = fields;
  }
  CHECK(users.size() == 3);
  plan.versions = {{one.address(), two.address()}};
  plan.number = 2;
  rig.apply(plan);
  const std::string other = rig.get("/", user).body;
  CHECK(other != "three");
  CHECK(rig.get("/", user).body == other);
}

TEST_CASE("a request of an affine user that fails is repeated on another worker") {
  FakeWorker one(says("one")), dead(says("dead"));
  Plan plan{{{one.address(), dead.address()}}};
  plan.affinity = true;
  Rig rig(plan);
  std::string user;
  for (int i = 0; i < 100 && user.empty(); ++i) {
    const std::string fields = "X-User: u" + std::to_string(i) + "\r\n";
    if (rig.get("/", fields).body == "dead") user = fields;
  }
  REQUIRE(!user.empty());
  plan.versions[0][1] = *Address::parse("127.0.0.1:1");  // no listener there
  plan.number = 2;
  rig.apply(plan);
  for (int i = 0; i < 3; ++i) CHECK(rig.get("/", user).body == "one");
}
