#pragma once
// Which program a project folder has, and how grayd starts it. Pure.
//
// The recognisers are asked in a fixed order, and the first plan is taken: the Procfile, because somebody wrote there
// what to run; then frameworks that have a file of their own; then package.json, which is often there for the pages of
// a program in another language; then a source with an application; PHP; an executable file. The plan names the other
// ones that would have been possible.
#include <string>
#include <string_view>
#include <vector>

#include "grayd/init/plan.hpp"

namespace gray::init {

struct Recognition {
  std::optional<Plan> plan;
  std::vector<std::string> looked_for;  // without a plan: one line for each kind, with the reason
};

Recognition recognise(const Project& project);

}  // namespace gray::init
