#pragma once

namespace aha {

// Assertions in Python run in one process (the judge), the answer that they are about in another (the
// judged), so that the answer sees neither them nor what they expect. In the judge the answer's
// functions, classes and objects are stand-ins: a call goes over as plain values and comes back as such; other
// objects stay where they are and are named by number, one stand-in each.
//
// Each message is a line of JSON of at most 32 MiB, nested 200 deep at most: null, true, a number below
// 2^63 or a text is itself, every other value is [kind, what it holds ...]. The judge makes values of the
// library's plain types and builtin exceptions from it, and nothing else: what comes from the judged runs nothing
// in the judge. So equality with a value of the judge's is Python's own; an int, a list or another value of a
// class over a plain one is equal to what the plain one is equal to. Lists, dicts and other containers go over once each
// call: the answer sees which are the same, and those that it has changed are changed in the judge, too.
//
// The judge takes the names that the tests mention, but none that begins with two underscores or is a
// builtin's: `set` and `abs` in an assertion are Python's. Where tests read attributes of a module of
// the library without importing it, its name is the module. What tests import or define wins.
//
// A class of the answer's is a class in the judge, which has what Python asks of its objects (len, iter, hash, int, with,
// ...) where the answer's has it; an exception is over the first exceptions of Python's own that it is over. What the
// answer's own objects do is the answer's word: their methods (which see what they are given), items and truth, which
// classes they are of, operators and == between two of them (values of a class over a plain one that the tests make no
// objects of: what the plain ones give). What a call returns is new in the judge: a list that it shares with another
// value, or that an object keeps, is a copy. What is not the answer's word:
//
//   an object == a value of the tests'   decided here; `in` goes through what the object iterates over and compares
//   an object < a value of the tests'    refused; so is `in` where nothing can be gone through
//   an object + a value of the tests'    asked, and gives another object, no value; that one has seen what may be
//                                        expected, so its truth, length, abs, float, text, items by iteration and the
//                                        like are refused, and values of operators of it and another object
//   what the tests raise in a `with`     does not end there; nor does what the answer raises where that holds more than
//                                        calls of the answer's
//
// Refused is a TypeError, as it is for an object that has no such operator: a function that returns one instead of a
// number has failed. Where the tests themselves have made the object, of a class by a class's name (Money(5) > 3), the
// test cannot be asked; `in` of such an object (Trie() after inserting) is then its word.

/// The messages; imported by both sides as aha_wire.py.
extern const char* const kPythonWire;

/// What the judge asks, and the stand-ins; imported by it as aha_asking.py and aha_stand_ins.py.
extern const char* const kPythonAsking;
extern const char* const kPythonStandIns;

/// Runs tests.py, then what unittest and pytest would find in it (classes of unittest.TestCase; functions test... and
/// methods test... of classes Test...), less the functions that it has run itself. Exit code kPassed when the answer was
/// asked something and nothing was raised, kCannotAsk when a test gives the answer what is no value (functions, generators
/// and what else goes through values), makes a class of one of the answer's, is refused (above) an object that it has made,
/// or is pytest's to prepare (parameters, fixtures): no answer can pass it here.
extern const char* const kPythonJudge;
inline constexpr int kPassed = 76;  ///< tests that end the program end it with another
inline constexpr int kCannotAsk = 77;

/// Serves answer.py.
extern const char* const kPythonJudged;

}  // namespace aha
