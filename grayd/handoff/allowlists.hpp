#pragma once
// The allowlists in force survive an upgrade of grayd as they are: their files may have changed since, which counts
// only at a reload. The next image parses the configuration without these files and gets the tables from here.
#include "config/settings/settings.hpp"

namespace gray::master {

/// Writes the table of each service that has one, or reads them into the services of those names.
template <class Io>
void archive_allowlists(Io& io, Settings& settings);

}  // namespace gray::master
