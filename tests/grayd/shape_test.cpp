// A program with the same number reads our state, so the number identifies every field of it.
#include <doctest/doctest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <string>

#include "config/base/archive.hpp"
#include "grayd/handoff/handoff.hpp"
#include "grayd/master.hpp"
#include "tests/config/base/recorded_shape.hpp"
#include "tests/control/traffic/settings_support.hpp"
#include "tests/support/temp_folder.hpp"

using namespace gray;
using namespace gray::master;

namespace {

constexpr RecordedShape kRecorded{28, 0x580ab6c5a1aae8d3};

/// In a process of its own: a master with empty members must not be destroyed, and takes the signals of its process.
nlohmann::json shape_of_handoff(const Settings& settings) {
  int ends[2];
  REQUIRE(::pipe2(ends, O_CLOEXEC) == 0);
  const UniqueFd reading(ends[0]);
  UniqueFd writing(ends[1]);
  const pid_t child = ::fork();
  REQUIRE(child >= 0);
  if (child == 0) try {
      auto* const master = new Master(settings, ConfigFile(kRestored), kRestored);
      ConfigFile file(kRestored);
      const auto text = nlohmann::json{{"file", Save::shape_of(file)}, {"master", Save::shape_of(*master)}}.dump();
      for (std::size_t sent = 0; sent < text.size();) {
        const ssize_t written = ::write(writing.get(), text.data() + sent, text.size() - sent);
        if (written <= 0) ::_exit(1);
        sent += static_cast<std::size_t>(written);
      }
      ::_exit(0);
    } catch (const std::exception& error) {
      ::perror(error.what());
      ::_exit(1);
    }
  writing.reset();
  std::string text;
  char chunk[4096];
  for (ssize_t got; (got = ::read(reading.get(), chunk, sizeof chunk)) > 0;)
    text.append(chunk, static_cast<std::size_t>(got));
  int status = 0;
  REQUIRE(::waitpid(child, &status, 0) == child);
  REQUIRE(status == 0);
  return nlohmann::json::parse(text);
}

}  // namespace

TEST_CASE("the fields of the handed-over state belong to its version number") {
  const test::Folder folder;
  auto settings = test::settings_of({});
  settings.state_dir = folder.path / "state";
  const auto shape = shape_of_handoff(settings);
  check_shape(shape, kHandoff, kRecorded, "kHandoff in grayd/handoff/handoff.hpp");
  // The fields of container elements are included: a worker's process, a message that is queued for a router.
  const auto worker = shape["/master/supervisor/versions/2/1/workers/2/1"_json_pointer];
  CHECK(worker["/process/1/containment/leader"_json_pointer] == "int32");
  CHECK(shape["/master/routers/living/1/1/link/outbox/1/0"_json_pointer] == "one of");
}
