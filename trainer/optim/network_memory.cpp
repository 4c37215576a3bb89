#include "trainer/optim/network_memory.h"

#include <mutex>
#include <utility>
#include <vector>

namespace aha {

void give_to_the_network(std::shared_ptr<void> memory) {
  static std::mutex mutex;
  static auto& given = *new std::vector<std::shared_ptr<void>>;
  const std::lock_guard lock(mutex);
  given.push_back(std::move(memory));
}

}  // namespace aha
