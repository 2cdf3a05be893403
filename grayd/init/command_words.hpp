#pragma once
// The text of a start script or of a line of a Procfile as a `command` of the configuration. A command has no shell, so
// that signals reach the program itself. Only a text that needs a shell gets one. Pure.
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace gray::init {

struct ShellText {
  std::map<std::string, std::string> env;  // assignments in front of the program
  std::vector<std::string> words;          // empty: the text needs a shell
  bool single = true;                      // one program: a shell can `exec` it
};

ShellText read_shell_text(std::string_view text);

/// {"sh", "-c", "exec TEXT"}, without `exec` where the text is more than one program.
std::vector<std::string> shell_command(const std::string& text, bool single = true);

/// Whether `word` occurs in `text` and is not a part of a longer word.
bool has_word(std::string_view text, std::string_view word);

}  // namespace gray::init
