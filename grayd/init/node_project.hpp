#pragma once
// A project with a package.json: npm, yarn or pnpm, Vite, Next. Pure.
//
// A start script that is one program is run without the package manager: `npm start` is a process of its own, which
// takes the ready message of the program and reacts to signals in its own way.
#include "grayd/init/plan.hpp"

namespace gray::init {

Found find_node(const Project& project);

}  // namespace gray::init
