#include <unistd.h>

#include <iostream>

#include "control/grayctl/cli.hpp"

int main(int argc, char** argv) {
  using namespace gray::control;
  return run_grayctl(argc, argv, std::cout, std::cerr, terminal_of(STDOUT_FILENO),
                     person_at(STDIN_FILENO, STDERR_FILENO, std::cin));
}
