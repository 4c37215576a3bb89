#pragma once
#include <span>
#include <string>

#include "trainer/report/record.h"

namespace aha {

/// Every value of every run, one a line: run,stage,step,global_step,metric,value (RFC 4180). Values
/// have the digits that read back to the same double; a null has no line.
std::string csv_report(std::span<const RunRecord> runs);

}  // namespace aha
