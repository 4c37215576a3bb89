// Who may include whom: build/layers.txt (written from the USES of each module) against the #include
// lines of every source file.
#include <filesystem>
#include <fstream>
#include <map>
#include <set>
#include <sstream>
#include <string>

#include "tests/support/catch.h"

namespace fs = std::filesystem;

namespace {

std::map<std::string, std::set<std::string>> allowed_includes() {
  std::map<std::string, std::set<std::string>> layers;
  std::ifstream file(fs::path(AHA_BINARY_DIR) / "layers.txt");
  for (std::string line; std::getline(file, line);) {
    const auto colon = line.find(':');
    if (colon == std::string::npos) continue;
    auto& uses = layers[line.substr(0, colon)];
    std::istringstream rest(line.substr(colon + 1));
    for (std::string used; rest >> used;)
      uses.insert(used);
  }
  return layers;
}

/// The module that a repository path lies in: the longest module name that is a prefix.
std::string module_of(const std::string& path,
                      const std::map<std::string, std::set<std::string>>& layers) {
  std::string best;
  for (const auto& [module, uses] : layers)
    if (path.rfind(module + "/", 0) == 0 && module.size() > best.size()) best = module;
  return best;
}

void check_file(const fs::path& file, const std::string& path,
                const std::map<std::string, std::set<std::string>>& layers) {
  const std::string module = module_of(path, layers);
  std::ifstream source(file);
  for (std::string line; std::getline(source, line);) {
    if (line.rfind("#include \"", 0) != 0) continue;
    const std::string included = line.substr(10, line.find('"', 10) - 10);
    const std::string target = module_of(included, layers);
    INFO(path << " includes " << included);
    CHECK((target == module || layers.at(module).count(target) == 1));
  }
}

}  // namespace

TEST_CASE("layers: every #include follows the declared dependencies", "[core][layers]") {
  const auto layers = allowed_includes();
  REQUIRE(layers.size() >= 10);
  int files = 0;
  for (const auto& [module, uses] : layers) {
    for (const auto& entry : fs::recursive_directory_iterator(fs::path(AHA_SOURCE_DIR) / module)) {
      const auto extension = entry.path().extension();
      if (extension != ".h" && extension != ".cpp" && extension != ".cu") continue;
      const auto path = fs::relative(entry.path(), AHA_SOURCE_DIR).string();
      if (module_of(path, layers) != module) continue;
      check_file(entry.path(), path, layers);
      ++files;
    }
  }
  CHECK(files > 20);
}

TEST_CASE("layers: no source file is longer than 500 lines, and nothing includes torch/torch.h",
          "[core][layers]") {
  for (const auto& [module, uses] : allowed_includes()) {
    for (const auto& entry : fs::recursive_directory_iterator(fs::path(AHA_SOURCE_DIR) / module)) {
      const auto extension = entry.path().extension();
      if (extension != ".h" && extension != ".cpp" && extension != ".cu") continue;
      std::ifstream source(entry.path());
      int lines = 0;
      for (std::string line; std::getline(source, line); ++lines)
        CHECK(line.find("#include <torch/torch.h>") == std::string::npos);
      INFO(entry.path());
      CHECK(lines <= 500);
    }
  }
}

TEST_CASE("layers: what must compile without Torch never includes it", "[core][layers]") {
  for (const char* module :
       {"trainer/core", "trainer/config", "data", "rewards", "trainer/metrics"})
    for (const auto& entry : fs::recursive_directory_iterator(fs::path(AHA_SOURCE_DIR) / module)) {
      const auto extension = entry.path().extension();
      if (extension != ".h" && extension != ".cpp") continue;
      if (entry.path().filename() == "tensor.h") continue;
      std::ifstream source(entry.path());
      INFO(entry.path());
      for (std::string line; std::getline(source, line);)
        if (line.rfind("#include", 0) == 0)
          CHECK((line.find("<ATen") == std::string::npos &&
                 line.find("<torch") == std::string::npos &&
                 line.find("<c10") == std::string::npos &&
                 line.find("core/tensor.h") == std::string::npos));
    }
}
