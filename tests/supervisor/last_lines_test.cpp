#include "supervisor/last_lines.hpp"

#include <doctest/doctest.h>

using namespace gray::supervisor;

namespace {

using Lines = std::vector<std::string>;

struct LinesRow {
  const char* what;
  Lines output, expected;
};

}  // namespace

TEST_CASE("the lines of a crash name its error, without the stack") {
  const LinesRow rows[] = {
      {"Node",
       {"listening", "/srv/app.js:3", "  throw new Error('no database');", "  ^", "", "Error: no database",
        "    at Object.<anonymous> (/srv/app.js:3:9)",
        "    at Module._compile (node:internal/modules/cjs/loader:1105:14)",
        "    at node:internal/main/run_main_module:22:47", "", "Node.js v18.19.0"},
       {"/srv/app.js:3", "  throw new Error('no database');", "Error: no database"}},
      {"Node, an error with fields",
       {"node:net:1463", "Error: listen EADDRINUSE: address already in use",
        "    at Server.setupListenHandle (node:net)", "  code: 'EADDRINUSE',", "  errno: -98,", "  syscall: 'listen',",
        "  address: '127.0.0.1',", "  port: 80", "}", "", "Node.js v18.19.0"},
       {"Error: listen EADDRINUSE: address already in use", "  code: 'EADDRINUSE',", "  errno: -98,"}},
      {"Python",
       {"Traceback (most recent call last):", "  File \"/srv/app.py\", line 2, in <module>", "    main()", "    ^^^^^^",
        "ValueError: no database"},
       {"  File \"/srv/app.py\", line 2, in <module>", "    main()", "ValueError: no database"}},
      {"Java",
       {"Exception in thread \"main\" java.lang.IllegalStateException: no database", "\tat app.Main.main(Main.java:3)",
        "\t... 3 more"},
       {"Exception in thread \"main\" java.lang.IllegalStateException: no database"}},
      {"Go",
       {"panic: no database", "", "goroutine 1 [running]:", "main.main()", "\t/srv/app.go:4 +0x1d", "exit status 2",
        "bye"},
       {"panic: no database", "goroutine 1 [running]:", "main.main()"}},
      {"Ruby",
       {"app.rb:1:in `connect': no database (RuntimeError)", "\tfrom app.rb:4:in `<main>'"},
       {"app.rb:1:in `connect': no database (RuntimeError)"}},
      {"no error is named", {"one", "", "two", "   ", "three", "four"}, {"two", "three", "four"}},
      {"the last error counts", {"error: first", "a", "b", "c", "Fatal: second", "d"}, {"c", "Fatal: second", "d"}},
      {"a word is not an error", {"an error of mine", "a", "b", "c"}, {"a", "b", "c"}},
      {"nothing", {}, {}},
      {"only blanks", {"", " "}, {}},
  };
  for (const LinesRow& row : rows) {
    CAPTURE(row.what);
    CHECK(last_lines(row.output, 3) == row.expected);
  }
}
