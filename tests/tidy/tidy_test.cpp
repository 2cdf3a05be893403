// The rules for the source tree, checked on the tree that is being built. Each rule is first tested with a planted
// violation, so that a broken check does not look like a clean tree.
#include <doctest/doctest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "tests/tidy/rule_rows.hpp"
#include "tests/tidy/rules.hpp"
#include "tests/tidy/source_text.hpp"

namespace fs = std::filesystem;
using namespace gray::tidy;

namespace {

std::string read(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

bool is_text_of_ours(const fs::path& path) {
  const std::string extension = path.extension();
  return extension == ".hpp" || extension == ".cpp" || extension == ".py" || extension == ".js" || extension == ".sh" ||
         (extension.empty() && path.parent_path().filename() == "scripts");
}

std::vector<File> read_tree() {
  const fs::path root = GRAY_SOURCE_DIR;
  std::vector<File> files;
  for (const char* top : {"config", "supervisor", "router", "control", "grayd", "workers", "scripts", "tests"}) {
    if (!fs::exists(root / top)) continue;
    for (const fs::directory_entry& entry : fs::recursive_directory_iterator(root / top)) {
      const bool ours = entry.is_regular_file() && is_text_of_ours(entry.path());
      if (ours && entry.path().string().find("/node_modules/") == std::string::npos)
        files.push_back({fs::relative(entry.path(), root).string(), read(entry.path())});
    }
  }
  std::ranges::sort(files, {}, &File::path);
  return files;
}

const std::vector<File>& tree() {
  static const std::vector<File> files = read_tree();
  return files;
}

template <typename Rule>
void check_tree(Rule rule) {
  for (const File& file : tree())
    for (const Finding& finding : rule(file))
      FAIL_CHECK(finding.path << ":" << finding.line << ": " << finding.message);
}

/// The tests of the tree and the scenarios that are not in C++.
std::vector<File> tests_of_tree() {
  std::vector<File> tests;
  for (const File& file : tree()) {
    if (file.path.starts_with("tests/")) tests.push_back(file);
  }
  const fs::path scenarios = fs::path(GRAY_SOURCE_DIR) / "tests" / "vtc";
  for (const fs::directory_entry& entry : fs::directory_iterator(scenarios)) {
    tests.push_back({"tests/vtc/" + entry.path().filename().string(), read(entry.path())});
  }
  return tests;
}

std::string function_of(std::size_t lines) {
  std::string text = "int f() {\n";
  for (std::size_t i = 2; i < lines; ++i) text += "  g();\n";
  return text + "}\n";
}

}  // namespace

TEST_CASE("comments, literals and directives are not code") {
  CHECK(code_only("a; // b\nc;") == "a;     \nc;");
  CHECK(code_only("a /* { */ b") == "a         b");
  CHECK(code_only("f(\"x{\\\"\");") == "f(\"    \");");
  CHECK(code_only("f('{');") == "f(' ');");
  CHECK(code_only("1'000'000 + '{'") == "1'000'000 + ' '");
  CHECK(code_only("#define X {\nY") == "           \nY");
  CHECK(code_only("R\"(a { \" b)\" c").find('{') == std::string::npos);
  CHECK(code_only("R\"(a { \" b)\" c").ends_with(" c"));
}

TEST_CASE("functions are found inside any braces") {
  const auto lengths = [](std::string_view text) {
    std::vector<std::size_t> found;
    for (const Function& function : functions_in(code_only(text))) found.push_back(function.lines);
    return found;
  };
  using Lengths = std::vector<std::size_t>;
  CHECK(lengths("namespace a {\nint f() {\n  if (x) {\n  }\n}\n}") == Lengths{4});
  CHECK(lengths("struct S {\n  int a{0};\n  int b() const { return a; }\n};") == Lengths{1});
  CHECK(lengths("A::A(int x)\n    : a_{x}, b_(x) {\n}\nint g() {\n\n}") == Lengths{3, 3});
  CHECK(lengths("A::A() : a_{1} {\n}\n") == Lengths{2});
  CHECK(lengths("constexpr T kTable[] = {\n  {1, 2},\n};\nint g() {\n}") == Lengths{2});
  CHECK(lengths("constexpr auto kTable = [] {\n  return 1;\n}();") == Lengths{3});
  CHECK(lengths("void f(Options o = {}, int x = 1) {\n}") == Lengths{2});
  CHECK(lengths("template <typename T>\nauto f(T t) -> std::vector<int> {\n}") == Lengths{3});
  CHECK(lengths("enum class E { a, b };\nbool operator==(E a, E b) {\n}") == Lengths{2});
  CHECK(lengths("struct alignas(64) Row {\n  int f() {\n  }\n};") == Lengths{2});
  CHECK(lengths("TEST_CASE(\"a { b\") {\n  auto f = [] {\n  };\n}") == Lengths{4});
  CHECK(lengths("inline constexpr int kA = f(B{1});\nint g() {\n}") == Lengths{2});
}

TEST_CASE("an include against the arrows of the build is found") {
  const auto found = [](const char* path, const char* include) {
    return check_includes({path, std::string("#pragma once\n#include \"") + include + "\"\n"}).size() == 1;
  };
  CHECK(found("config/base/units.hpp", "router/wire/head.hpp"));
  CHECK(found("supervisor/process/spawn.cpp", "router/process/router_main.hpp"));
  CHECK(found("supervisor/process/spawn.cpp", "supervisor/worker.hpp"));
  CHECK(found("grayd/routers/router_child.cpp", "supervisor/supervisor.hpp"));
  CHECK(found("router/proxy/relay.cpp", "supervisor/supervisor.hpp"));
  CHECK(found("router/wire/head.cpp", "router/policy/decision.hpp"));
  CHECK(found("router/http/message.hpp", "router/wire/head.hpp"));
  CHECK(found("router/policy/retry.cpp", "router/wire/head.hpp"));
  CHECK(found("router/policy/retry.cpp", "router/stats/row.hpp"));
  CHECK(found("router/proxy/relay.cpp", "router/process/shard.hpp"));
  CHECK(found("router/backends/backends.cpp", "router/proxy/exchange.hpp"));
  CHECK(found("router/stats/row.cpp", "router/wire/head.hpp"));
  CHECK(found("router/engine/engine.hpp", "router/wire/head.hpp"));
  CHECK(found("control/api/admin_server.cpp", "supervisor/supervisor.hpp"));
  CHECK(found("supervisor/process/spawn.cpp", "tests/support/pipe.hpp"));
  CHECK(found("router/proxy/relay.cpp", "grayd/master.hpp"));
  CHECK(found("config/base/units.cpp", "config/shared/segment.hpp"));
  CHECK(found("config/base/units.cpp", "config/settings/settings.hpp"));
  CHECK(found("config/settings/settings.cpp", "config/shared/channel.hpp"));
  CHECK(found("control/state/event_log.cpp", "control/api/admin_server.hpp"));
  CHECK(found("control/grayctl/cli.cpp", "control/api/admin_server.hpp"));
  CHECK(found("control/grayctl/cli.cpp", "control/state/event_log.hpp"));
  CHECK(found("control/daemon.hpp", "control/api/admin_server.hpp"));
  CHECK(found("grayd/master.cpp", "control/grayctl/client.hpp"));
  CHECK(found("grayd/handoff/handoff.cpp", "grayd/routers/routers.hpp"));
  CHECK(found("grayd/handoff/handoff.cpp", "supervisor/supervisor.hpp"));
  CHECK(found("grayd/routers/routers.cpp", "grayd/master.hpp"));
  CHECK(found("grayd/routers/routers.cpp", "control/api/admin_server.hpp"));
  CHECK(found("grayd/master.cpp", "tests/support/wire.hpp"));
  CHECK_FALSE(found("config/shared/channel.cpp", "config/settings/settings.hpp"));
  CHECK_FALSE(found("grayd/routers/routers.cpp", "grayd/process/lifetime.hpp"));
  CHECK_FALSE(found("router/upstream/pool.cpp", "router/policy/retry.hpp"));
  CHECK_FALSE(found("router/proxy/relay.cpp", "router/engine/engine.hpp"));
  CHECK_FALSE(found("control/grayctl/table.cpp", "control/daemon.hpp"));
  CHECK_FALSE(found("grayd/master.cpp", "supervisor/supervisor.hpp"));
  CHECK_FALSE(found("supervisor/worker.cpp", "supervisor/process/spawn.hpp"));
  CHECK_FALSE(found("config/base/log.cpp", "sys/socket.h"));
}

TEST_CASE("a folder without a row in the include matrix is found") {
  CHECK(check_includes({"router/new/a.cpp", ""}).size() == 1);
  CHECK(check_includes({"router/a.cpp", ""}).size() == 1);
  CHECK(check_includes({"tests/router/new/a_test.cpp", ""}).size() == 1);
}

TEST_CASE("an include of a test beyond its part is found") {
  const auto found = [](const char* path, const char* include) {
    return check_includes({path, std::string("#include \"") + include + "\"\n"}).size() == 1;
  };
  CHECK(found("tests/router/http/head_test.cpp", "router/proxy/relay.hpp"));
  CHECK(found("tests/router/http/head_test.cpp", "tests/router/process/rig.hpp"));
  CHECK(found("tests/supervisor/spawn_test.cpp", "tests/grayd/routers/fake_router.hpp"));
  CHECK(found("tests/fuzz/head.cpp", "router/proxy/relay.hpp"));
  CHECK(found("tests/tidy/rules.cpp", "config/base/units.hpp"));
  CHECK_FALSE(found("tests/router/policy/retry_test.cpp", "router/http/message.hpp"));
  CHECK_FALSE(found("tests/router/proxy/relay_test.cpp", "tests/router/process/rig.hpp"));
  CHECK_FALSE(found("tests/router/policy/retry_test.cpp", "tests/support/wire.hpp"));
  CHECK_FALSE(found("tests/router/policy/retry_test.cpp", "tests/router/policy/request.hpp"));
  CHECK_FALSE(found("tests/control/api/admin_server_test.cpp", "tests/control/fixture.hpp"));
  CHECK_FALSE(found("tests/config/shared/channel_test.cpp", "tests/config/base/field_count.hpp"));
}

TEST_CASE("a cycle of includes is found") {
  const File base = {"config/base/a.hpp", "#include \"config/base/b.hpp\"\n"};
  CHECK(check_cycles({base, {"config/base/b.hpp", "#include <string>\n"}}).empty());
  CHECK(check_cycles({base, {"config/base/b.hpp", "#include \"config/base/a.hpp\"\n"}}).size() == 2);
  CHECK(check_cycles({{"config/base/a.hpp", "#include \"config/base/a.hpp\"\n"}}).size() == 1);
}

TEST_CASE("a folder with too many files is found, and so is a listed number that can be lowered") {
  const auto found = [](const std::string& folder, int count) {
    std::vector<File> files;
    for (int i = 0; i < count; ++i) files.push_back({folder + "/" + std::to_string(i) + ".hpp", ""});
    return check_room_sizes(files).size();
  };
  CHECK(found("config/base", 35) == 0);
  CHECK(found("config/base", 36) == 1);
  CHECK(found("router/proxy", 100) == 1);
  CHECK(found("router/proxy", 36) == 1);
}

TEST_CASE("a clock or Asio in a pure core is found") {
  const auto found = [](const char* path, const char* text) { return check_pure({path, text}).size(); };
  CHECK(found("router/wire/head.cpp", "#include <asio/buffer.hpp>\n") == 1);
  CHECK(found("router/upstream/wait_queue.cpp", "auto t = Clock::now();") == 1);
  CHECK(found("supervisor/worker_machine.cpp", "gettimeofday(&t, 0);") == 1);
  CHECK(found("supervisor/restart_policy.hpp", "clock_gettime(c, &t);") == 1);
  CHECK(found("router/proxy/exchange_machine.cpp", "auto t = std::time(nullptr);") == 1);
  CHECK(found("router/policy/decision.cpp", "add_time(1); x.time(); // ::now()") == 0);
  CHECK(found("supervisor/supervisor.cpp", "auto t = Clock::now();") == 0);
}

TEST_CASE("banned calls are found, and only as calls") {
  const auto found = [](const char* text, const char* path = "config/a.cpp") {
    return check_banned_calls({path, text}).size();
  };
  CHECK(found("auto self = shared_from_this();") == 1);
  CHECK(found("std::system(\"ls\"); popen(a, b);") == 2);
  CHECK(found("sprintf(b, x); strcpy(a, b); rand();") == 3);
  CHECK(found("std::thread(f).detach();") == 1);
  CHECK(found("link.detach();") == 0);
  CHECK(found("std::this_thread::sleep_for(x); usleep(1);") == 2);
  CHECK(found("setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof on);") == 1);
  CHECK(found("snprintf(b, n, x); srand(1); std::system_error(e); // system(") == 0);
  CHECK(found("sleep_for(x);", "tests/support/poll.hpp") == 0);
  CHECK(found("sleep_for(x);", "tests/config/base/units_test.cpp") == 1);
}

TEST_CASE("files, lines and functions that are too long are found") {
  const auto found = [](const char* path, std::string text) { return check_lengths({path, std::move(text)}).size(); };
  std::string tall;
  for (int i = 0; i < 401; ++i) tall += "\n";
  CHECK(found("config/a.cpp", tall) == 1);
  CHECK(found("tests/config/a_test.cpp", tall) == 0);
  CHECK(found("config/a.cpp", std::string(121, 'x')) == 1);
  CHECK(found("config/a.cpp", std::string(119, 'x') + "\u2192") == 0);
  CHECK(found("config/a.cpp", function_of(60)) == 0);
  CHECK(found("config/a.cpp", function_of(61)) == 1);
}

TEST_CASE("bad habits are found") {
  CHECK(check_habits({"config/a.hpp", "// first\n#pragma once\n"}).size() == 1);
  CHECK(check_habits({"config/a.hpp", "#pragma once\n"}).empty());
  CHECK(check_habits({"config/a.cpp",
                      "// TO"
                      "DO later\n"})
            .size() == 1);
  CHECK(check_habits({"scripts/run",
                      "# FIX"
                      "ME\n"})
            .size() == 1);
}

TEST_CASE("a rule without a row, or a row whose test does not exist, is found") {
  std::string rows;
  for (int i = 1; i <= 28; ++i) rows += "| P" + std::to_string(i) + " | what | `a_test.cpp` \"a title (P1)\" |\n";
  const std::vector<File> tests = {{"tests/router/a_test.cpp", "TEST_CASE(\"a title (P1)\")"},
                                   {"tests/integration/b_test.py", "    def test_p31_trust(self):"}};
  const std::string last = "| P31 | `x` \"y\" | `a_test.cpp` \"a title (P1)\"; `b_test.py` \"test_p31_trust\" |\n";
  const auto problems = [&](const std::string& text) { return check_rule_rows({"docs/http.md", text}, tests); };
  CHECK(problems(rows + last).empty());
  CHECK(problems(rows).size() == 1);
  CHECK(problems(rows)[0].message == "rule P31 has no row");
  CHECK(problems(rows + last + "| P31 | more | `c_test.cpp` \"t\" |\n").size() == 1);
  CHECK(problems(rows + last + "| P31 | more | `a_test.cpp` \"another title\" |\n").size() == 1);
  CHECK(problems(rows + last + "| P31 | more | by hand |\n").size() == 1);
  CHECK(problems(rows + last + "| CL.TE | refused | `a_test.cpp` \"another title\" |\n").size() == 1);
  CHECK(problems(rows + last + "| field | from a proxy | from others |\n").empty());
}

TEST_CASE("a source without a test with its name is found") {
  const std::set<std::string> paths = {"tests/config/base/units_test.cpp", "tests/control/grayctl/table_test.cpp"};
  CHECK(check_has_test({"config/base/units.cpp", ""}, paths).empty());
  CHECK(check_has_test({"control/grayctl/table.cpp", ""}, paths).empty());
  CHECK(check_has_test({"config/base/address.cpp", ""}, paths).size() == 1);
  CHECK(check_has_test({"grayd/master.cpp", ""}, paths).size() == 1);
  CHECK(check_has_test({"grayd/main.cpp", ""}, paths).empty());
}

TEST_CASE("the tree: includes follow the arrows of the build") { check_tree(check_includes); }
TEST_CASE("the tree: no cycle of includes, no folder below itself, no folder with too many files") {
  for (const Findings& findings : {check_cycles(tree()), check_room_order(), check_room_sizes(tree())})
    for (const Finding& finding : findings) FAIL_CHECK(finding.path << ":" << finding.line << ": " << finding.message);
}
TEST_CASE("the tree: pure cores use no Asio and no clock") { check_tree(check_pure); }
TEST_CASE("the tree: no banned calls") { check_tree(check_banned_calls); }
TEST_CASE("the tree: files, lines and functions are short") { check_tree(check_lengths); }
TEST_CASE("the tree: headers begin with #pragma once and no comment postpones work") { check_tree(check_habits); }

TEST_CASE("the tree: every source has a test with its name") {
  std::set<std::string> paths;
  for (const File& file : tree()) paths.insert(file.path);
  check_tree([&](const File& file) { return check_has_test(file, paths); });
}

TEST_CASE("the tree: every rule of docs/http.md has a row, and its tests exist") {
  const fs::path document = fs::path(GRAY_SOURCE_DIR) / "docs" / "http.md";
  for (const Finding& finding : check_rule_rows({"docs/http.md", read(document)}, tests_of_tree()))
    FAIL_CHECK(finding.path << ":" << finding.line << ": " << finding.message);
}

TEST_CASE("the tree: the median lengths are printed") {
  std::vector<std::size_t> files, functions;
  for (const File& file : tree()) {
    if (!is_cpp(file) || file.path.starts_with("tests/")) continue;
    files.push_back(lines_of(file.text).size());
    for (const Function& function : functions_in(code_only(file.text))) functions.push_back(function.lines);
  }
  REQUIRE_FALSE(files.empty());
  std::ranges::sort(files);
  std::ranges::sort(functions);
  const std::size_t function = functions.empty() ? 0 : functions[functions.size() / 2];
  MESSAGE("median file " << files[files.size() / 2] << " lines, median function " << function << " lines");
}
