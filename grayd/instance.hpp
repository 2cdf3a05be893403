#pragma once
// The instance name (GRAY_INSTANCE), by which the next grayd on the same state folder recognises processes that this
// one left behind. It is stored in the folder and contains a hash of the folder's path, so that a copied folder does
// not name the workers of the original's grayd.
#include <string>

namespace gray::master {

/// Reads STATE_DIR/instance; creates it first if it is missing or damaged. Throws std::runtime_error with a line for
/// people. Only under the lock of the state folder.
std::string instance_of(const std::string& state_dir);
/// The same, after killing all processes that have this name: an earlier grayd left them behind.
std::string swept_instance(const std::string& state_dir);

}  // namespace gray::master
