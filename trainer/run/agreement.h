#pragma once
#include <string>

#include "trainer/comm/communicator.h"
#include "trainer/config/schema.h"

namespace aha {

/// Ranks that do not run the same program with the same configuration would wait for each other, or learn
/// different things. UserError on every rank, naming the rank and the key, or the program. Collective.
void require_agreement(Communicator& comm, const Config& config);

/// Starts and greets the scorers of every stage, and ends them again; what is wrong with one. Empty: nothing.
std::string scorer_problem(const Config& config);

/// What scorer_problem says on every rank: a program that one machine lacks is found before anything is computed.
/// UserError on every rank, naming rank and host. Collective.
void require_scorers(Communicator& comm, const std::string& problem);

}  // namespace aha
