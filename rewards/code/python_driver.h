#pragma once

namespace aha {

// Assertions in Python run in one process (the judge), the answer that they are about in another (the
// judged), so that the answer sees neither them nor what they expect. In the judge the answer's
// functions and classes are stand-ins: a call goes over as pickled plain values and comes back as
// such; other objects stay where they are and are named by number. What comes from the judged can only
// be plain values and such numbers, so equality in an assertion is Python's own. Lists, dicts and sets
// that a call has changed are changed in the judge, too.

/// Runs tests.py; exit code 0 when nothing was raised.
extern const char* const kPythonJudge;

/// Serves answer.py.
extern const char* const kPythonJudged;

}  // namespace aha
