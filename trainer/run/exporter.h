#pragma once
#include <mutex>
#include <optional>
#include <string>

#include "trainer/comm/communicator.h"
#include "trainer/metrics/console.h"
#include "trainer/metrics/text_endpoint.h"
#include "trainer/run/status_file.h"

namespace aha {

/// log.prometheus: what `aha watch` tells, and the latest value of each of the stage's metrics, at
/// http://ADDRESS:PORT/metrics. Rank 0 has one. Training leaves copies here and never waits for who reads.
class Exporter {
 public:
  static constexpr const char* kPath = "/metrics";

  /// Listens from now on at log.prometheus. UserError when that cannot be. `comm` must outlive it.
  Exporter(const std::string& listen, const Communicator& comm);

  void set(const RunPosition& position);
  void set(const MetricsRow& row);

  std::string url() const;

 private:
  std::string page() const;

  const Communicator& comm_;
  std::string listen_;
  mutable std::mutex mutex_;  ///< of what follows
  RunPosition position_;
  std::optional<MetricsRow> latest_;
  TimeLeft time_left_;
  TextEndpoint endpoint_;  ///< its thread reads the rest
};

}  // namespace aha
