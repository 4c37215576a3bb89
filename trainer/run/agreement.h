#pragma once
#include "trainer/comm/communicator.h"
#include "trainer/config/schema.h"

namespace aha {

/// Ranks that do not run the same program with the same configuration would wait for each other, or learn
/// different things. UserError on every rank, naming the rank and the key, or the program. Collective.
void require_agreement(Communicator& comm, const Config& config);

/// Threads of this rank: `threads`, or with 0 its share of the cores that it may run on. Ranks of one host
/// that were given the same cores divide them; ranks that were each bound to their own (srun does) keep
/// them. Collective.
int threads_of_rank(Communicator& comm, std::int64_t threads);

}  // namespace aha
