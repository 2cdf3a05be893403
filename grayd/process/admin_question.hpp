#pragma once
// Asks a grayd that this process has started, at its admin socket.
#include <httplib.h>

#include <nlohmann/json.hpp>
#include <string>

#include "config/base/time.hpp"

namespace gray::master {

httplib::Client client_of_socket(const std::string& socket, Duration time);

/// The answer to a GET; null if there is none, or another status than 200.
nlohmann::json asked_admin(const std::string& socket, const std::string& path, Duration time);

/// Whether the POST was carried out.
bool told_admin(const std::string& socket, const std::string& path, const nlohmann::json& body, Duration time);

}  // namespace gray::master
