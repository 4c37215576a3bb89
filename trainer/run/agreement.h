#pragma once
#include "trainer/comm/communicator.h"
#include "trainer/config/schema.h"

namespace aha {

/// Ranks that do not run the same program with the same configuration would wait for each other, or learn
/// different things. UserError on every rank, naming the rank and the key, or the program. Collective.
void require_agreement(Communicator& comm, const Config& config);

}  // namespace aha
