#pragma once
#include <condition_variable>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <mutex>
#include <string>

namespace aha {

/// Compiled programs by their source text. Equal sources are compiled once, also when several threads
/// ask at the same time. Beyond `most` programs the one unused for longest goes, with its folder.
class CompileCache {
 public:
  struct Program {
    std::filesystem::path folder;
    std::string problem;  ///< what the compiler said; empty: it can be run
    bool lasting = true;  ///< false: the compiler could not do its work, another try may succeed
  };
  /// Throws nothing.
  using Compile = std::function<Program(const std::string& source)>;

  explicit CompileCache(std::size_t most) : most_(most) {}

  /// A program that stays as long as it is held.
  class Held {
   public:
    Held(CompileCache& cache, const std::string& source, const Compile& compile);
    ~Held();
    Held(const Held&) = delete;
    Held& operator=(const Held&) = delete;

    const Program& operator*() const { return *program_; }
    const Program* operator->() const { return program_; }

   private:
    CompileCache& cache_;
    const std::string& source_;
    const Program* program_;
  };

  std::int64_t compiled() const { return compiled_; }

 private:
  struct Entry {
    Program program;
    bool ready = false;
    std::int64_t holders = 0;
    std::int64_t last_use = 0;
  };
  const Program* hold(const std::string& source, const Compile& compile);
  void release(const std::string& source);
  void drop(std::map<std::string, Entry>::iterator place);
  /// False when all are held.
  bool drop_oldest();

  std::size_t most_;
  std::mutex mutex_;
  std::condition_variable ready_;
  std::map<std::string, Entry> entries_;
  std::int64_t uses_ = 0;
  std::int64_t compiled_ = 0;
};

}  // namespace aha
