#include "data/tokenizer/normalizer.h"

#include "data/tokenizer/byte_level.h"
#include "data/tokenizer/pattern.h"
#include "data/tokenizer/unicode.h"

namespace aha {
namespace {

constexpr const char* kKnown =
    "NFC, NFD, NFKC, NFKD, Lowercase, Replace, Prepend, Strip, ByteLevel or Sequence";

class ToForm final : public Normalizer {
 public:
  explicit ToForm(NormalForm form) : form_(form) {}
  void apply(std::string& text) const override { text = normal_form(text, form_); }

 private:
  NormalForm form_;
};

class Lowercase final : public Normalizer {
 public:
  void apply(std::string& text) const override { text = lower_case(text); }
};

class Replace final : public Normalizer {
 public:
  explicit Replace(const Component& c)
      : pattern_(c.member("pattern")), content_(c.text("content")) {}
  void apply(std::string& text) const override { text = pattern_.replace(text, content_); }

 private:
  Pattern pattern_;
  std::string content_;
};

class Prepend final : public Normalizer {
 public:
  explicit Prepend(const Component& c) : prefix_(c.text("prepend")) {}
  void apply(std::string& text) const override {
    if (!text.empty()) text.insert(0, prefix_);
  }

 private:
  std::string prefix_;
};

class Strip final : public Normalizer {
 public:
  explicit Strip(const Component& c) : left_(c.flag("strip_left")), right_(c.flag("strip_right")) {}
  void apply(std::string& text) const override {
    if (right_) text.resize(space_start(text, text.size()));
    if (left_) text.erase(0, space_end(text, 0));
  }

 private:
  bool left_;
  bool right_;
};

class BytesToLetters final : public Normalizer {
 public:
  void apply(std::string& text) const override { text = to_byte_level(text); }
};

std::unique_ptr<Normalizer> make_one(const Component& c) {
  const auto type = c.type();
  if (type == "NFC") return std::make_unique<ToForm>(NormalForm::NFC);
  if (type == "NFD") return std::make_unique<ToForm>(NormalForm::NFD);
  if (type == "NFKC") return std::make_unique<ToForm>(NormalForm::NFKC);
  if (type == "NFKD") return std::make_unique<ToForm>(NormalForm::NFKD);
  if (type == "Lowercase") return std::make_unique<Lowercase>();
  if (type == "Replace") return std::make_unique<Replace>(c);
  if (type == "Prepend") return std::make_unique<Prepend>(c);
  if (type == "Strip") return std::make_unique<Strip>(c);
  if (type == "ByteLevel") return std::make_unique<BytesToLetters>();
  c.refuse_type("normalizer", kKnown);
}

void add(const Component& c, std::vector<std::unique_ptr<Normalizer>>& steps) {
  if (c.type() != "Sequence") {
    steps.push_back(make_one(c));
    return;
  }
  const auto list = c.member("normalizers");
  for (std::size_t i = 0; i < c.list_size("normalizers"); ++i)
    add(list.element(i), steps);
}

}  // namespace

std::vector<std::unique_ptr<Normalizer>> make_normalizers(const Component& component) {
  std::vector<std::unique_ptr<Normalizer>> steps;
  if (!component.is_null()) add(component, steps);
  return steps;
}

}  // namespace aha
