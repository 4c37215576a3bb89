#pragma once
#include <string>
#include <string_view>

#include "data/tokenizer/jinja_value.h"

/// Python's operators.
namespace aha::jinja {

enum class Operator { Add, Sub, Mul, Div, FloorDiv, Mod, Pow, Eq, Ne, Lt, Le, Gt, Ge, In, NotIn };

/// Arithmetic (Add to Pow). UserError for types that Python refuses.
Value arithmetic(Runtime& runtime, Operator op, const Value& a, const Value& b);
/// Comparison and membership (Eq to NotIn).
bool comparison(Runtime& runtime, Operator op, const Value& a, const Value& b);
bool equal(Runtime& runtime, const Value& a, const Value& b, int depth = 0);
/// -1, 0 or 1; 2 when unordered (NaN). UserError for types without an order.
int order(Runtime& runtime, const Value& a, const Value& b, int depth = 0);
bool contains(Runtime& runtime, const Value& container, const Value& item);
Value negated(Runtime& runtime, const Value& value);

/// a.name: an attribute of the type first, then an entry.
Value attribute(Runtime& runtime, const Value& value, std::string_view name);
/// a[key]: an entry first, then an attribute.
Value item(Runtime& runtime, const Value& value, const Value& key);
/// a[start:stop:step], each a whole number or none.
Value slice(Runtime& runtime, const Value& value, const Value& start, const Value& stop,
            const Value& step);
Value call(Runtime& runtime, const Value& callee, Arguments& arguments);

/// UserError for an undefined value that is used.
void refuse_undefined(Runtime& runtime, const Value& value);

}  // namespace aha::jinja
