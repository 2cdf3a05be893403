#include "grayd/init/python_project.hpp"

#include <doctest/doctest.h>

#include "tests/grayd/init/projects.hpp"

using namespace gray::init;
using gray::test::project_of;

TEST_CASE("an application is found at the outermost level only") {
  const auto app = [](const char* source) {
    const auto found = python_app_in(source);
    return found ? found->name + "=" + found->maker : std::string();
  };
  CHECK(app("import x\napp = Flask(__name__)\n") == "app=Flask");
  CHECK(app("api: FastAPI = FastAPI(title='x')") == "api=FastAPI");
  CHECK(app("app=flask.Flask(__name__)") == "app=Flask");
  CHECK(app("web = Starlette(routes=[])") == "web=Starlette");
  CHECK(app("def f():\n  app = Flask(__name__)\n").empty());
  CHECK(app("# app = Flask(__name__)").empty());
  CHECK(app("app = FlaskClient(x)").empty());
  CHECK(app("a.app = Flask(x)").empty());
  CHECK(app("app == Flask(x)").empty());
  CHECK(app("=\n(\n=(\n:=(").empty());
  CHECK(app("").empty());
  CHECK(app("from flask import Flask\ndef create_app(test=None):\n  app = Flask(x)\n") == "create_app()=Flask");
  CHECK(app("def create_app():\n  pass\n").empty());
}

TEST_CASE("a function that makes the application is called, in its package") {
  const auto found =
      find_python_app(project_of({{"shop/__init__.py", "def create_app():\n  return Flask(__name__)\n"}}));
  REQUIRE(found.plan);
  CHECK(found.plan->command.back() == "exec gunicorn --bind \"$HOST:$PORT\" \"shop:create_app()\"");
}

TEST_CASE("the server of the project's own environment is used") {
  const auto found = find_python_app(project_of({{"app.py", "app = Flask(__name__)"}, {".venv/bin/gunicorn", ""}}));
  REQUIRE(found.plan);
  CHECK(found.plan->command.back().starts_with("exec .venv/bin/gunicorn "));
  CHECK(found.plan->notes.empty());
  CHECK(find_python_app(project_of({{"app.py", "app = Flask(__name__)"}})).plan->notes.size() == 1);
}

TEST_CASE("app.py comes before other names, and a folder last") {
  const auto from = [](std::vector<std::pair<std::string, std::string>> files) {
    return find_python_app(project_of(files)).plan->from;
  };
  CHECK(from({{"a.py", "a = Flask(x)"}, {"app.py", "a = Flask(x)"}}) == "app.py");
  CHECK(from({{"a/app.py", "a = Flask(x)"}, {"z.py", "a = Flask(x)"}}) == "z.py");
  CHECK(from({{"app.py", "x"}, {"main.py", "a = FastAPI()"}}) == "main.py");
}

TEST_CASE("Django runs under uvicorn if only that is installed") {
  CHECK(find_django(
            project_of({{"manage.py", ""}, {"s/wsgi.py", ""}, {"s/asgi.py", ""}, {"requirements.txt", "uvicorn"}}))
            .plan->kind == "Django with uvicorn");
  CHECK(find_django(project_of({{"manage.py", ""}, {"s/asgi.py", ""}}))
            .plan->command.back()
            .ends_with("s.asgi:application"));
}
