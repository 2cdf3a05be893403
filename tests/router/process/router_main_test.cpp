// A router process, run on a thread: from hello to its end.
#include "router/process/router_main.hpp"

#include <fcntl.h>

#include <filesystem>
#include <fstream>

#include "tests/router/process/fake_master.hpp"

using namespace gray;
using proxy::run_router;
using namespace gray::test;

namespace {

using Type = ChannelMessage::Type;

/// run_router() on a thread, its result once it has ended.
class Process {
 public:
  explicit Process(proxy::Inheritance inheritance)
      : thread_([this, inherited = std::move(inheritance)]() mutable { result_ = run_router(std::move(inherited)); }) {}
  ~Process() {
    if (thread_.joinable()) thread_.join();
  }
  int result() {
    thread_.join();
    return result_;
  }

 private:
  int result_ = -1;
  std::thread thread_;
};

/// A new file that is removed with the test.
class TempFile {
 public:
  explicit TempFile(const char* name)
      : path_(std::filesystem::temp_directory_path() / (std::string(name) + std::to_string(::getpid()))),
        fd_(::open(path_.c_str(), O_CREAT | O_TRUNC | O_WRONLY | O_APPEND | O_CLOEXEC, 0600)) {
    REQUIRE(fd_);
  }
  ~TempFile() { std::filesystem::remove(path_); }
  UniqueFd duplicate() const { return UniqueFd(::dup(fd_.get())); }
  bool has(std::string_view text) const {
    std::ifstream in(path_);
    const std::string all{std::istreambuf_iterator<char>(in), {}};
    return all.find(text) != std::string::npos;
  }

 private:
  std::filesystem::path path_;
  UniqueFd fd_;
};

Message get(const FakeMaster& master, std::string_view path) {
  Wire client = dial(master.listener.address());
  client.write(Rig::request_for(path));
  return client.read_answer();
}

ChannelMessage drain(Duration timeout) {
  ChannelMessage message;
  message.type = Type::drain;
  message.timeout = timeout;
  message.ok = true;
  return message;
}

}  // namespace

TEST_CASE("a router greets, serves, reopens its log, drains, and ends with 0") {
  FakeWorker worker(says("x"));
  FakeMaster master;
  TempFile first("gray-access-1-"), second("gray-access-2-");
  proxy::Inheritance inheritance = master.inheritance();
  inheritance.access_log = first.duplicate();
  Process process(std::move(inheritance));
  const auto hello = master.expect(Type::hello);
  REQUIRE(hello);
  CHECK(hello->layout == segment::kLayout);
  CHECK(hello->protocol == kChannelProtocol);
  master.send(FakeMaster::hello());
  master.say_table({{{worker.address()}}, {}, 0, 3});
  REQUIRE(master.expect(Type::ready));
  master.send(Type::listen);
  master.send(Type::listen);
  CHECK(get(master, "/one").body == "x");
  CHECK(eventually([&] { return first.has("\"/one\""); }));
  ChannelMessage reopen;
  reopen.type = Type::reopen;
  reopen.fd = second.duplicate();
  master.send(reopen);
  master.say_table({{{worker.address()}}, {}, 0, 4});
  for (std::uint64_t number = 0; number != 4;) number = master.expect(Type::applied)->number;
  CHECK(get(master, "/two").body == "x");
  master.send(drain(kTimeout));
  REQUIRE(master.expect(Type::drained));
  CHECK(second.has("\"/two\""));
  CHECK(process.result() == 0);
}

TEST_CASE("a router whose master dies ends with 1, with requests in flight or not") {
  FakeWorker silent([](FakeWorker::Call& call) {
    while (call.next()) {
    }
  });
  FakeMaster master;
  Process process(master.inheritance());
  master.send(FakeMaster::hello());
  master.say_table({{{silent.address()}}});
  REQUIRE(master.expect(Type::ready));
  master.send(Type::listen);
  Wire client = dial(master.listener.address());
  client.write(Rig::request_for());
  REQUIRE(eventually([&] { return silent.requests() == 1; }));
  master.die();
  CHECK(process.result() == 1);
}

TEST_CASE("a router with a segment of a different layout ends before it sends anything") {
  FakeMaster master;
  proxy::Inheritance inheritance = master.inheritance();
  inheritance.segment = sealed_memfd("segment", "too small");
  Process process(std::move(inheritance));
  CHECK(process.result() == 1);
}

TEST_CASE("a wrong or late hello of the master ends the router") {
  ChannelMessage alien = FakeMaster::hello();
  SUBCASE("a different protocol") { alien.protocol = kChannelProtocol + 1; }
  SUBCASE("a slot that does not exist") { alien.router_slot = segment::kRouterSlots; }
  SUBCASE("no hello") { alien.type = Type::listen; }
  FakeMaster master;
  Process process(master.inheritance());
  master.send(alien);
  CHECK(process.result() == 1);
}

TEST_CASE("a master that dies before its hello ends the router, too") {
  FakeMaster master;
  Process process(master.inheritance());
  master.die();
  CHECK(process.result() == 1);
}
