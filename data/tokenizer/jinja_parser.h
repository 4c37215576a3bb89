#pragma once
#include <memory>
#include <string>
#include <string_view>

#include "data/tokenizer/jinja_ast.h"

namespace aha::jinja {

/// Parses a template. UserError "WHERE: line N: ..." names a statement, filter or test that we do not
/// have (a filter or test inside a condition only when it is reached, as Jinja does).
std::unique_ptr<Program> parse(std::string_view source, const std::string& where);

}  // namespace aha::jinja
