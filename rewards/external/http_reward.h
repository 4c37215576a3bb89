#pragma once
#include <memory>

#include "rewards/options.h"
#include "rewards/reward.h"

namespace aha {

/// A scorer behind a URL: the requests of protocol.h as the bodies of POSTs, answered by bodies; `id` may be
/// left out of an answer. `reach` sends the greeting: a server that is not there, or speaks otherwise, is
/// an error before anything is computed.
///
/// Options: `url`, `concurrency` (requests at a time, each over a connection of its own that is kept),
/// `answer_limit_s` of an attempt with all its tries, `retries` of a connection that fails, 429 and 5xx (after
/// 0.1 s, 0.2 s, 0.4 s, ...), `ca_file`, `token_env` (names an environment variable with a bearer token), `proxy`
/// (`environment`: http_proxy, https_proxy, all_proxy and no_proxy say, as they do to curl; `none`; or its URL),
/// `verifier` (whether it tells right from wrong).
///
/// What gets no answer cannot be judged. Certificates are always verified, and redirects not followed.
std::unique_ptr<Reward> make_http_reward(const RewardOptions& options);

}  // namespace aha
