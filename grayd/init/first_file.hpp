#pragma once
// The text of the first grayd.toml, from a plan. Pure.
#include <cstdint>
#include <string>

#include "grayd/init/plan.hpp"

namespace gray::init {

/// A name of a service: 1 to 64 of a-z A-Z 0-9 _ -. "@shop/web app" is web-app; "web" if nothing is left.
std::string service_name(const std::string& text);

/// Text as a TOML string, without escapes where that is possible.
std::string toml_text(const std::string& text);

/// Where a trial differs from the file that is written. All paths are absolute.
struct TrialPlaces {
  std::string folder;   // of the project
  std::string scratch;  // for everything that grayd writes; its listeners are sockets in it
};

std::string first_file(const Plan& plan, const std::string& service, std::uint16_t port);
std::string trial_file(const Plan& plan, const std::string& service, const TrialPlaces& places);

/// The least file to write by hand, indented, for a folder in which nothing was recognised.
std::string least_file(const std::string& service);

}  // namespace gray::init
