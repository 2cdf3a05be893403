#include "config/keys/key_form.hpp"

#include <doctest/doctest.h>

using namespace gray;

TEST_CASE("a key of a table is made once; a map has one form for all names") {
  KeyForm root;
  root.kind = KeyForm::Kind::table;
  KeyForm& a = root.child("a");
  CHECK(&root.child("a") == &a);
  CHECK(root.find("a") == &a);
  CHECK(root.find("b") == nullptr);
  a.kind = KeyForm::Kind::map;
  CHECK(&a.child("x") == &a.child("y"));
  CHECK(a.keys.empty());
}

TEST_CASE("the first description counts, and keeps what was said before") {
  KeyForm root;
  KeyForm& key = root.child("key");
  key.required = true;
  KeyForm first;
  first.kind = KeyForm::Kind::whole;
  first.most = 5;
  key.describe(std::move(first));
  KeyForm second;
  second.kind = KeyForm::Kind::text;
  key.describe(std::move(second));
  CHECK(key.kind == KeyForm::Kind::whole);
  CHECK(key.most == 5);
  CHECK(key.name == "key");
  CHECK(key.required);
}
