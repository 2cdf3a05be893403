#include "control/grayctl/grammar.hpp"

#include <fmt/format.h>

#include <cctype>

#include "control/version.hpp"

namespace gray::control {
namespace {

using nlohmann::json;

constexpr const char* kLook = "Look";
constexpr const char* kChange = "Change";
constexpr const char* kSetUp = "Set up";

}  // namespace

/// A verb of the table. If its name has several words, the parent has all except the last.
CLI::App* Grammar::verb(CLI::App& parent, Verb meaning, const char* examples) {
  const VerbRow& row = row_of(meaning);
  return verb(parent, std::string(row.name.substr(row.name.rfind(' ') + 1)), std::string(row.summary), meaning,
              examples);
}

CLI::App* Grammar::verb(CLI::App& parent, std::string name, std::string summary, Verb meaning, const char* examples) {
  CLI::App* added = parent.add_subcommand(std::move(name), std::move(summary));
  added->fallthrough();  // --socket and -o may follow the verb
  added->footer(std::string("Examples:\n") + examples);
  added->callback([this, meaning] { command.verb = meaning; });
  return added;
}

void Grammar::add_timeout(CLI::App& verb) {
  verb.add_option("--timeout", timeout, "how long to wait, such as 60s; default 10m")->type_name("DURATION");
}

/// Options of verbs that wait only if asked to.
void Grammar::add_waiting(CLI::App& verb) {
  verb.add_flag("--wait", wait, "wait until everything is healthy");
  add_timeout(verb);
}

/// A verb about one version, which waits for its end unless asked not to.
CLI::App* Grammar::version_verb(Verb meaning, const char* examples) {
  CLI::App* added = verb(app, meaning, examples);
  added->group(kChange);
  added->add_option("SERVICE", command.service, "as in the configuration")->required();
  added->add_option("VERSION", command.version, "a version of this service")->required();
  add_ending(*added);
  return added;
}

/// Options of verbs that wait by default.
void Grammar::add_ending(CLI::App& verb, const char* waits_for) {
  verb.add_flag("--wait", wait, waits_for);
  verb.add_flag("--no-wait", no_wait, "return as soon as it has started");
  add_timeout(verb);
}

void Grammar::looking() {
  CLI::App* status = verb(
      app, Verb::status,
      "  grayctl status\n  grayctl status web -o json\n  grayctl status -w\n  grayctl status --wait --timeout 60s\n"
      "A * marks the stable version. UP counts workers that are ready or healthy, REQS\n"
      "requests since the start. Of the last minute: RPS requests per second, ERR% the\n"
      "percentage that failed because of the version, P50 and P99 the time in which 50\n"
      "and 99 % were answered. VERDICT compares a version with stable: ok, worse, or\n"
      "unclear (too few requests yet). A terminal of 120 columns also has ERRS (errors\n"
      "since the start), BUSY (requests in flight), SOCKS (open sockets to workers) and\n"
      "QUEUE (waiting requests, and their limit).");
  status->add_option("SERVICE", command.service, "only this service");
  status->group(kLook);
  status->add_flag("-w,--watch", command.follow, "redraw each second; on a pipe, a line per change");
  add_waiting(*status);

  CLI::App* health = verb(app, Verb::health,
                          "  grayctl health\n  grayctl health web && echo up\n  grayctl health --wait --timeout 60s");
  health->add_option("SERVICE", command.service, "only this service");
  health->group(kLook);
  add_waiting(*health);
}

void Grammar::looking_back() {
  CLI::App* events = verb(app, Verb::events,
                          "  grayctl events -n 20\n  grayctl events -f web v2\n  grayctl events -f -o json | jq .kind\n"
                          "Times are UTC.");
  CLI::App* logs = verb(app, Verb::logs,
                        "  grayctl logs web v2\n  grayctl logs -f --worker web@v2#0\n"
                        "The last log_lines lines of each worker are kept (1000), also after it ended.");
  for (CLI::App* verb : {events, logs}) {
    verb->group(kLook);
    verb->add_flag("-f,--follow", command.follow, "follow new entries");
    verb->add_option("-n", count, "the last N, 0 to 1000; default 100")->type_name("N");
    verb->add_option("SERVICE", command.service, "only this service");
    verb->add_option("VERSION", command.version, "only this version");
  }
  logs->add_option("--worker", command.worker, "only this worker, named as in status")->type_name("ID");
}

void Grammar::explaining() {
  CLI::App* why = verb(app, Verb::why,
                       "  grayctl why 0f01984c8c7b94ce976dab4519eb036d\n"
                       "  grayctl why -- curl -H 'Cookie: uid=77' localhost:8000/x\n"
                       "  grayctl why 'curl -b uid=77 localhost:8000/x'\n"
                       "  grayctl why --path /x --header 'Cookie: uid=77' --client 10.0.0.7 web\n"
                       "  grayctl why --replay access.log --ids users.txt\n"
                       "An X-Request-Id is searched in the access log, newest lines first. A curl\n"
                       "command line, also from \"Copy as cURL\" of a browser, and a described request\n"
                       "are decided by grayd on the routing table in force; nothing is sent. --replay\n"
                       "decides every line of a log again, without a grayd: exit 1 if one differs.");
  why->group(kLook);
  auto& asked = command.why;
  why->add_option("REQUEST", asked.words, "a request id or a curl command; with --path, a service");
  why->add_option("--path", asked.path, "of a described request, with its query")->type_name("PATH");
  why->add_option("--header", asked.headers, "\"Name: value\"; may be repeated")->type_name("TEXT")->type_size(1);
  why->add_option("--host", asked.host, "its host; default localhost")->type_name("HOST");
  why->add_option("--method", asked.method, "its method; default GET")->type_name("METHOD");
  why->add_option("--client", asked.client, "who sends it, or \"unix\"; default 127.0.0.1")->type_name("IP");
  why->add_option("--log", asked.log, "an access log; default: that of grayd, and FILE.1")->type_name("FILE");
  why->add_option("--replay", asked.replay, "decide each line of a log again; - is stdin")->type_name("FILE");
  why->add_option("--ids", asked.ids, "with --replay: users, one a line, to check hashes")->type_name("FILE");

  CLI::App* bucket = verb(app, Verb::bucket,
                          "  grayctl bucket web 77 alice\n"
                          "  grayctl bucket web --file users.txt --weight 50\n"
                          "  grayctl bucket web --file - --weight 5 --list < users.txt\n"
                          "Who would get which version by their bucket, now and at a planned weight. The\n"
                          "users are not sent to grayd. A weight below the present one shows who leaves.");
  bucket->group(kLook);
  bucket->add_option("SERVICE", command.service, "as in the configuration")->required();
  bucket->add_option("USER", command.bucket.ids, "an identity, such as the value of the cookie");
  bucket->add_option("--file", command.file, "one user a line; - is stdin")->type_name("FILE");
  bucket->add_option("--weight", weight, "a planned weight, 0 to 100")->type_name("PERCENT");
  bucket->add_option("--version", command.version, "the version that gets it; default: the one with users")
      ->type_name("VERSION");
  bucket->add_option("--salt", command.bucket.salt, "as if its rollout had this --salt")->type_name("TEXT");
  bucket->add_flag("--list", command.bucket.list, "each user of the file, not only the sum");
}

void Grammar::history() {
  CLI::App* history = verb(app, Verb::history,
                           "  grayctl history web\n  grayctl history web --since 2h --verbose\n  grayctl history 42\n"
                           "  grayctl history --state-dir run/state\n"
                           "The newest change is the last. A number instead of SERVICE is the id of one\n"
                           "change, shown with the figures of its verdict. Times are UTC.");
  history->group(kLook);
  history->add_option("SERVICE", command.service, "only this service, or the id of one change");
  history->add_option("VERSION,--version", command.version, "only this version");
  history->add_option("--since", since, "2h, or 2026-11-30, or 2026-11-30T12:00Z")->type_name("TIME");
  history->add_option("-n,--limit", count, "the last N, 1 to 1000; default 50")->type_name("N");
  history->add_flag("-f,--follow", command.follow, "follow new changes");
  history->add_flag("-v,--verbose", command.verbose, "everything about each change");
  history->add_option("--state-dir", command.state_dir, "read the file; needs no running grayd")->type_name("DIR");
}

void Grammar::memory() {
  CLI::App* memory = verb(app, Verb::memory,
                          "  grayctl memory\n  grayctl memory --diff 10\n  grayctl memory --workers\n  grayctl memory "
                          "-o json | jq .largest\n"
                          "Which part of the router holds how much: connections of clients and to workers,\n"
                          "requests that wait (queue), tunnels, pools, and the rest of the process. PEAK is\n"
                          "the most that one look a second has seen. Below them the ten largest holders:\n"
                          "HOLDS is memory of the router, KERNEL that of its socket, AGE of the request.\n"
                          "With --workers: the last hour of each worker with its processes, and how many\n"
                          "bytes 1,000 requests add to the workers of each version.");
  memory->group(kLook);
  memory->add_flag("--workers", command.memory.workers, "of the workers, not of the router");
  memory->add_option("--diff", diff, "compare with so many seconds later, 1 to 3600")->type_name("SECONDS");
}

void Grammar::top() {
  CLI::App* top = verb(app, Verb::top,
                       "  grayctl top\n  grayctl top web\n  grayctl top --count 5 --interval 10s | cat\n"
                       "  grayctl top -o json | jq -c '.versions[] | select(.bad)'\n"
                       "RPS and ERR% are of the last 10 s, P50 and P99 of the last minute. The bars are\n"
                       "requests per second of the last 60 s. A version is bad (a ! before it, red, and\n"
                       "the reason below) if 1 % of its requests fail, if it is worse than stable, has\n"
                       "failed, or if a worker is unhealthy. MEM is the memory of its workers. All\n"
                       "columns need 80; a wide terminal has longer bars, STATE and VERDICT.\n"
                       "Keys: q quit, s next column to sort by, S back, / filter, p or space pause, ?\n"
                       "help. Without a terminal: titles, then a line per version each 2 s, MARK ok or\n"
                       "bad. Figures are new each 500 ms. If grayd ends, it goes on when it is back.");
  top->group(kLook);
  top->add_option("SERVICE", command.service, "only this service");
  top->add_option("-n,--count", looks, "end after so many looks")->type_name("N");
  top->add_option("--interval", interval, "between looks; default 500ms, for lines 2s")->type_name("DURATION");
}

void Grammar::changing() {
  CLI::App* shift = verb(app, Verb::shift,
                         "  grayctl shift web v2 5%\n  grayctl shift web v2 0\n"
                         "It returns when every router has applied it.");
  shift->group(kChange);
  shift->add_option("SERVICE", command.service, "as in the configuration")->required();
  shift->add_option("VERSION", command.version, "a version that is not stable")->required();
  shift->add_option("PERCENT", percent, "0 to 100; the stable version has the rest")->required();
  shift->add_flag("-y,--yes", command.yes, "even if it is not up, or the share is below 1");

  version_verb(Verb::start, "  grayctl start web v2\n  grayctl start web v2 --timeout 30s");
  version_verb(Verb::restart,
               "  grayctl restart web v1\n  grayctl restart web v1 --no-wait\n"
               "A new worker is healthy before an old one drains. At the first failure it stops,\n"
               "the old workers stay, and the exit code is 1.");
  CLI::App* drain = version_verb(Verb::drain,
                                 "  grayctl drain web v2\n  grayctl drain web v1 --yes\n"
                                 "Requests in flight may take up to the drain_timeout of the version. The version\n"
                                 "stays stopped, even when grayd is restarted, until: grayctl start web v2");
  CLI::App* stop = version_verb(Verb::stop,
                                "  grayctl stop web v2\n  grayctl stop web v1 --yes\n"
                                "No request is sent to it any more, then its workers get their stop signal. It\n"
                                "stays stopped, even when grayd is restarted, until: grayctl start web v2");
  for (CLI::App* ending : {drain, stop})
    ending->add_flag("-y,--yes", command.yes, "even if it is stable, has users or is being restarted");
}

void Grammar::releasing() {
  CLI::App* deploy = version_verb(Verb::deploy,
                                  "  grayctl deploy web 43\n  grayctl deploy web 43 --env FLAG=1 --timeout 2m\n"
                                  "  grayctl deploy web 43 --rollout\n"
                                  "Starts a version that is not in the file, as [service.web.release] says, and\n"
                                  "waits until all its workers are healthy. It has no users: see grayctl shift and\n"
                                  "grayctl promote. It outlasts a restart of grayd, until: grayctl remove web 43");
  deploy->add_flag("--rollout", command.rollout, "to all users by steps; exit 6 if aborted");
  deploy->add_option("--env", env, "NAME=VALUE, a variable; may be repeated")->type_name("NAME=VALUE")->type_size(1);
  deploy->get_option("VERSION")->description("a name that is new: a-z A-Z 0-9 _ -");

  CLI::App* promote = verb(app, Verb::promote,
                           "  grayctl promote web 43\n"
                           "All users get it at once. The stable version before goes on running for a time\n"
                           "(warm), is then stopped, and is kept for: grayctl undo web");
  CLI::App* undo = verb(app, Verb::undo,
                        "  grayctl undo web\n  grayctl undo web --to 41\n"
                        "Goes back to the stable version before; no other version has users then. One\n"
                        "that still runs serves at once, any other is started first. If it cannot start,\n"
                        "nothing is changed, and the exit code is 1; 5 after the timeout.");
  CLI::App* remove = version_verb(Verb::remove,
                                  "  grayctl remove web 43\n"
                                  "Only a deployed version without users. Requests in flight may take up to its\n"
                                  "drain_timeout; then it is gone from the status.");
  for (CLI::App* verb : {promote, undo}) {
    verb->group(kChange);
    verb->add_option("SERVICE", command.service, "as in the configuration")->required();
  }
  promote->add_option("VERSION", command.version, "a version that is up")->required();
  undo->add_option("--to", command.to, "one of the former stable versions")->type_name("VERSION");
  add_ending(*undo);
  promote->add_flag("-y,--yes", command.yes, "even if not all of its workers are healthy");
  remove->add_flag("-y,--yes", command.yes, "accepted for scripts: nothing is asked");
}

void Grammar::upgrading() {
  CLI::App* upgrade = verb(app, Verb::upgrade,
                           "  grayctl upgrade\n  grayctl upgrade --binary /opt/grayd/bin/grayd\n"
                           "  grayctl upgrade router\n"
                           "Replaces the running grayd with the binary on disk, or with --binary. Its pid,\n"
                           "its workers, its router and all sockets stay. The new program is checked first:\n"
                           "it must be able to read the state and must accept the configuration. If\n"
                           "anything fails, the old one continues and the exit code is 1; 5 after the\n"
                           "timeout; 3 while another upgrade is running, also for other changes.");
  upgrade->require_subcommand(0, 1)->group(kChange);
  upgrade->add_option("--binary", command.binary, "the new program; default: the binary on disk")->type_name("PATH");
  add_ending(*upgrade);
  CLI::App* router = verb(*upgrade, "router", "a new router takes over, the old one drains", Verb::upgrade,
                          "  grayctl upgrade router\n  grayctl upgrade router --timeout 30s\n"
                          "The new router checks every worker before it serves. If anything fails until\n"
                          "then, the old one continues and the exit code is 1; 5 after the timeout, or if\n"
                          "too many old ones still drain; 3 while another upgrade is running.");
  add_ending(*router);
  router->callback([this] { command.part = "router"; });
}

void Grammar::configuring() {
  CLI::App* reload = verb(app, Verb::reload,
                          "  grayctl config check grayd.toml && grayctl reload\n  grayctl reload --timeout 30s\n"
                          "A change of [router] needs a new router, which checks every worker before it\n"
                          "serves. If it cannot serve, nothing is changed, and the exit code is 1; 5 after\n"
                          "the timeout. With --wait the exit code is also 1 if workers are replaced because\n"
                          "their command has changed, and a new one fails: then the old command serves.");
  reload->group(kSetUp);
  add_ending(*reload, "wait for replaced workers, not only for a router");
  CLI::App* config = app.add_subcommand("config", "configuration files");
  config->fallthrough()->require_subcommand(1)->group(kSetUp);
  config->footer("Examples:\n  grayctl config check grayd.toml");
  verb(*config, Verb::config_check, "  grayctl config check grayd.toml")
      ->add_option("FILE", command.file, "a configuration in TOML")
      ->required();
  CLI::App* completion = verb(app, Verb::completion,
                              "  grayctl completion bash > /etc/bash_completion.d/grayctl\n"
                              "  grayctl completion zsh > /usr/local/share/zsh/site-functions/_grayctl\n"
                              "  grayctl completion fish > ~/.config/fish/completions/grayctl.fish");
  completion->group(kSetUp);
  completion->add_option("SHELL", command.shell, "bash, zsh or fish")->required();
  verb(app, Verb::version, "  grayctl version -o json")->group(kSetUp);
}

void Grammar::demonstrating() {
  CLI::App* demo = app.add_subcommand("demo", "break and heal a version of a running grayd demo");
  demo->fallthrough()->require_subcommand(1)->group(kSetUp);
  demo->footer("Examples:\n  grayctl demo break v2");
  CLI::App* breaks = verb(*demo, Verb::demo_break,
                          "  grayctl demo break v2\n  grayctl demo break v2 --how slow\n"
                          "Answers 500 (errors), answers 0.7 s late (slow), or exits at each request\n"
                          "(crash). Any other grayd is not touched: exit 3.");
  breaks->add_option("--how", command.how, "errors, slow or crash; default errors")->type_name("HOW");
  CLI::App* heals = verb(*demo, Verb::demo_heal, "  grayctl demo heal v2\n  grayctl rollout retry web");
  for (CLI::App* one : {breaks, heals}) one->add_option("VERSION", command.version, "v1 or v2")->required();
}

/// "rollout" for "rollout start".
CLI::App& Grammar::parent_of(const VerbRow& row) {
  const auto space = row.name.find(' ');
  if (space == std::string_view::npos) return app;
  const std::string name(row.name.substr(0, space));
  const auto known = app.get_subcommands([&name](const CLI::App* one) { return one->get_name() == name; });
  if (!known.empty()) return *known.front();
  CLI::App* added = app.add_subcommand(name, "from the first users to all of them, by steps");
  added->fallthrough()->require_subcommand(1)->group(kChange);
  added->footer(fmt::format("Examples:\n  grayctl {} status web", name));
  return *added;
}

/// A verb with the command line that its row describes.
void Grammar::add_generic(const VerbRow& row) {
  CLI::App* added = verb(parent_of(row), row.verb, row.examples.data());
  if (added->get_parent() == &app) added->group(row.changes ? kChange : kLook);
  for (const Argument& argument : row.arguments) add_argument(*added, argument);
  if (row.verb != Verb::rollout_status) return;
  added->add_flag("-w,--watch", command.follow, "follow it to its end, redrawn in place on a terminal");
  added->add_flag("--wait", wait, "wait for its end");
  add_timeout(*added);
}

void Grammar::add_argument(CLI::App& verb, const Argument& argument) {
  const std::string name(argument.name);
  const bool positional = argument.required || name == "service" || name == "version";
  std::string words = positional ? name : "--" + name;
  for (char& c : words) c = positional ? static_cast<char>(std::toupper(c)) : c == '_' ? '-' : c;
  json& arguments = command.arguments;
  CLI::Option* option = nullptr;
  if (argument.type == ArgumentType::flag) {
    option = verb.add_flag_callback(words, [&arguments, name] { arguments[name] = true; });
  } else if (argument.type == ArgumentType::text) {
    option = verb.add_option_function<std::string>(words, [&arguments, name](auto& text) { arguments[name] = text; });
  } else if (argument.type == ArgumentType::whole) {
    option = verb.add_option_function<std::int64_t>(words, [&arguments, name](auto& n) { arguments[name] = n; });
    option->check(CLI::NonNegativeNumber);
  } else {
    option = verb.add_option_function<double>(words, [&arguments, name](auto& number) { arguments[name] = number; });
  }
  option->description(std::string(argument.help))->required(argument.required);
}

Grammar::Grammar(std::span<const VerbRow> rows) {
  app.get_formatter()->column_width(26);
  app.require_subcommand(1);
  app.set_version_flag("--version", fmt::format("grayctl {}", kVersion), "the version of grayctl");
  app.set_help_flag("-h,--help", "this help; for a verb: grayctl VERB --help");
  app.add_option("--socket", command.socket, "of grayd; default: $GRAYCTL_SOCKET or the usual path")->type_name("PATH");
  output_option = app.add_option("-o,--output", output, "table or json")->type_name("FORMAT");
  app.footer(
      "Exit codes: 0 ok, 1 failed, 2 usage, 3 conflict, 4 denied, 5 timeout,\n"
      "6 rollout aborted, 7 no daemon, 8 bad config, 130 Ctrl-C while waiting.\n"
      "Examples:\n  grayctl status\n  grayctl shift web v2 5%\n  grayctl restart web v1");
  looking();
  looking_back();
  explaining();
  history();
  memory();
  top();
  changing();
  releasing();
  upgrading();
  configuring();
  demonstrating();
  for (const VerbRow& row : rows) {
    if (!row.examples.empty()) add_generic(row);
    if (row.by == AnsweredBy::not_yet)
      app.add_subcommand(std::string(row.name))->group("")->fallthrough()->allow_extras();
  }
}

}  // namespace gray::control
