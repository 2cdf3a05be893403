#include "config/keys/key_form.hpp"

#include <utility>

namespace gray {

const KeyForm* KeyForm::find(std::string_view key) const {
  for (const auto& one : keys)
    if (one->name == key) return one.get();
  return nullptr;
}

KeyForm& KeyForm::child(std::string_view key) {
  if (kind == Kind::map) {
    if (!each) each = std::make_unique<KeyForm>();
    return *each;
  }
  for (const auto& one : keys)
    if (one->name == key) return *one;
  keys.push_back(std::make_unique<KeyForm>());
  keys.back()->name = key;
  return *keys.back();
}

void KeyForm::describe(KeyForm form) {
  if (kind != Kind::unset) return;
  form.name = std::move(name);
  form.required = required;
  *this = std::move(form);
}

}  // namespace gray
