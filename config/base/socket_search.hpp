#pragma once
// The socket of the grayd that is meant when none is named: $GRAYCTL_SOCKET, else run/grayd.sock if it is there, else
// /run/grayd/grayd.sock if it is there or no demo of this user runs, else the socket of that demo.
#include <string>
#include <vector>

#include "config/base/demo_place.hpp"

namespace gray {

/// `demos`: the folders where a demo of this user may be.
std::string usual_socket(const std::vector<std::string>& demos = demo::own_places());

/// For the verbs of a demo: $GRAYCTL_SOCKET, else the demo of this user, else the usual one.
std::string demo_socket(const std::vector<std::string>& demos = demo::own_places());

}  // namespace gray
