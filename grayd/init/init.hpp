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

/// Creates a file with mode 0644, complete or not at all; false, with errno. EEXIST means that `path` exists, and
/// nothing else: the file is written under a name that no other file has, then linked.
bool create_file(const std::string& path, const std::string& text);

/// One line: why the port for users is not the usual one. 0: no port is free. `holder`: who has the usual one; may be
/// empty.
std::string port_text(std::uint16_t port, const std::string& holder);

/// The commands to type after `grayd init`: `folder` as the user named it, the file in it, the port for users.
std::string next_commands(const std::string& folder, const std::string& name, std::uint16_t port);

}  // namespace gray::init
