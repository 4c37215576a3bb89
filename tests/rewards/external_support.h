#pragma once
#include <csignal>
#include <filesystem>
#include <fstream>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "tests/rewards/rewards_support.h"
#include "tests/support/temp_folder.h"

namespace aha_test {

inline std::string external_scorer() {
  return std::string(AHA_BINARY_DIR) + "/tests/rewards/external_scorer";
}

/// Process ids that scorers have written to a file.
inline std::vector<int> pids_in(const std::filesystem::path& file) {
  std::ifstream in(file);
  std::vector<int> pids;
  for (int pid = 0; in >> pid;)
    pids.push_back(pid);
  return pids;
}

/// Processes of the file that are there. One that has ended and is not waited for yet is gone, too.
inline int alive(const std::filesystem::path& file) {
  int count = 0;
  for (const int pid : pids_in(file)) {
    std::ifstream stat("/proc/" + std::to_string(pid) + "/stat");
    std::string number, name, state;
    if (stat >> number >> name >> state && state != "Z") ++count;
  }
  return count;
}

/// Waits up to 5 s for the last of them to go.
inline int left_over(const std::filesystem::path& file) {
  for (int i = 0; i < 500 && alive(file) > 0; ++i)
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  return alive(file);
}

}  // namespace aha_test
