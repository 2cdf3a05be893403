#include <unistd.h>

#include <iostream>

#include "control/grayctl/cli.hpp"

int main(int argc, char** argv) {
  return gray::control::run_grayctl(argc, argv, std::cout, std::cerr, gray::control::terminal_of(STDOUT_FILENO));
}
