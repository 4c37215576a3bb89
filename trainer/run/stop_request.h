#pragma once
#include <csignal>

namespace aha {

/// Turns SIGINT, SIGTERM and SIGUSR1 into a wish to stop that the loop asks for. A second signal ends
/// the process at once, as if the first had not been caught, unless it comes within a second: Slurm and
/// others send one stop to a launcher and to its ranks, which then hear it twice.
class StopRequest {
 public:
  StopRequest();   ///< installs the handlers
  ~StopRequest();  ///< puts the former ones back
  StopRequest(const StopRequest&) = delete;
  StopRequest& operator=(const StopRequest&) = delete;

  /// The signal that came, 0 when none did.
  static int signal();
  static bool wanted() { return signal() != 0; }

 private:
  struct sigaction before_[3];
};

}  // namespace aha
