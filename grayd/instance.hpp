#pragma once
// The name by which the next grayd on the same state folder recognises what this one left behind (GRAY_INSTANCE). It is
// kept in the folder and carries a hash of its path, so that a copied folder does not name another grayd's workers.
#include <string>

namespace gray::master {

/// Reads STATE_DIR/instance, making it first if it is missing or damaged. Throws std::runtime_error with a line for
/// people. Only under the lock of the state folder.
std::string instance_of(const std::string& state_dir);
/// The same, once everything that carries the name is dead: it was left behind by an earlier grayd.
std::string swept_instance(const std::string& state_dir);

}  // namespace gray::master
