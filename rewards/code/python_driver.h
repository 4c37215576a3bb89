#pragma once

namespace aha {

// Assertions in Python run in one process (the judge), the answer that they are about in another (the
// judged), so that the answer sees neither them nor what they expect. In the judge the answer's
// functions and classes are stand-ins: a call goes over as plain values and comes back as such; other
// objects stay where they are and are named by number.
//
// Each message is a line of JSON of at most 32 MiB, nested 200 deep at most: null, true, a number below
// 2^63 or a text is itself, every other value is [kind, what it holds ...]. The judge makes values of the
// library's plain types from it, and nothing else: what comes from the judged runs nothing in the judge.
// So equality with a value of the judge's is Python's own; an int, a tuple or another value of a class
// over a plain one is equal to what the plain one is equal to. Lists, dicts and sets that a call has
// changed are changed in the judge, too.
//
// The judge takes the names that the tests mention, but none that begins with two underscores or is a
// builtin's: `set` and `abs` in an assertion are Python's. Where tests read attributes of a module of
// the library without importing it, its name is the module. What tests import or define wins.
//
// What the answer's own objects do is the answer's word: their methods (which see what they are given),
// items and truth, operators and == between two of them. Other operators between one and a value of the
// judge's fail; `in` goes through what it iterates over and compares here.

/// The messages; imported by the other two as aha_wire.py.
extern const char* const kPythonWire;

/// Runs tests.py, then what unittest and pytest would find in it (classes of unittest.TestCase; functions test... and
/// methods test... of classes Test...), less the functions that it has run itself. Exit code kPassed when the answer was
/// asked something and nothing was raised, kCannotAsk when a test gives the answer what is no value (functions, generators
/// and what else goes through values) or is pytest's to prepare (parameters, fixtures): no answer can pass it here.
extern const char* const kPythonJudge;
inline constexpr int kPassed = 76;  ///< tests that end the program end it with another
inline constexpr int kCannotAsk = 77;

/// Serves answer.py.
extern const char* const kPythonJudged;

}  // namespace aha
