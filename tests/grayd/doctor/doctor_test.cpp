#include "grayd/doctor/doctor.hpp"

#include <doctest/doctest.h>

#include <fstream>

#include "config/base/exit_code.hpp"
#include "tests/support/temp_folder.hpp"

using namespace gray;

TEST_CASE("without a grayd the exit code is 7, with a wrong file 8") {
  const test::Folder folder;
  master::DoctorArguments arguments;
  arguments.socket = folder.path / "no.sock";
  CHECK(doctor::run_doctor(arguments) == static_cast<int>(ExitCode::no_daemon));
  arguments.socket.clear();
  arguments.config = folder.path / "g.toml";
  CHECK(doctor::run_doctor(arguments) == static_cast<int>(ExitCode::bad_config));
  std::ofstream(arguments.config) << "[service.web]\nstable = 'v1'\nversion.v1.command = ['sh']\n";
  CHECK(doctor::run_doctor(arguments) == static_cast<int>(ExitCode::no_daemon));
}
