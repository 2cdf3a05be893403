#pragma once
// `grayd init`: looks at a folder, writes its first grayd.toml, checks it as --check does, and starts the version once.
// A file that exists is never changed.
#include <cstdint>
#include <functional>
#include <string>

#include "grayd/process/command_line.hpp"

namespace gray::init {

/// What `grayd --config FILE --check` finds wrong; empty: the file is valid.
using CheckFile = std::function<std::string(const std::string& file)>;

/// Returns the exit code. `program` is the grayd for the trial.
int run_init(const master::InitArguments& arguments, const std::string& program, const CheckFile& check);

/// Creates a file with mode 0644, complete or not at all; false, with errno: EEXIST if there is one.
bool create_file(const std::string& path, const std::string& text);

/// The commands to type after `grayd init`: `folder` as the user named it, the port for users.
std::string next_commands(const std::string& folder, std::uint16_t port);

}  // namespace gray::init
