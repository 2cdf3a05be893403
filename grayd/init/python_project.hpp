#pragma once
// A Python project: Django (manage.py and a wsgi module), or a file with app = Flask(...) or FastAPI(...). Pure.
#include "grayd/init/plan.hpp"

namespace gray::init {

Found find_django(const Project& project);
Found find_python_app(const Project& project);

/// What a source defines at its outermost level: "app = Flask(__name__)", or "def create_app(" of Flask.
struct PythonApp {
  std::string name;   // app, or a call that makes it: create_app()
  std::string maker;  // Flask
};
std::optional<PythonApp> python_app_in(const std::string& source);

}  // namespace gray::init
