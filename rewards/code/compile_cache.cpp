#include "rewards/code/compile_cache.h"

#include <utility>

namespace aha {

CompileCache::Held::Held(CompileCache& cache, const std::string& source, const Compile& compile)
    : cache_(cache), source_(source), program_(cache.hold(source, compile)) {}

CompileCache::Held::~Held() {
  cache_.release(source_);
}

const CompileCache::Program* CompileCache::hold(const std::string& source, const Compile& compile) {
  std::unique_lock lock(mutex_);
  const auto [place, is_new] = entries_.try_emplace(source);
  auto& entry = place->second;
  ++entry.holders;
  entry.last_use = ++uses_;
  if (is_new) {
    ++compiled_;
    lock.unlock();
    auto program = compile(source);
    lock.lock();
    entry.program = std::move(program);
    entry.ready = true;
    ready_.notify_all();
  }
  ready_.wait(lock, [&entry] { return entry.ready; });
  return &entry.program;
}

void CompileCache::release(const std::string& source) {
  const std::lock_guard lock(mutex_);
  const auto place = entries_.find(source);
  --place->second.holders;
  if (place->second.holders == 0 && !place->second.program.lasting) drop(place);
  while (entries_.size() > most_ && drop_oldest()) {
  }
}

void CompileCache::drop(std::map<std::string, Entry>::iterator place) {
  std::error_code ignored;
  if (!place->second.program.folder.empty())
    std::filesystem::remove_all(place->second.program.folder, ignored);
  entries_.erase(place);
}

bool CompileCache::drop_oldest() {
  auto oldest = entries_.end();
  for (auto place = entries_.begin(); place != entries_.end(); ++place)
    if (place->second.holders == 0 &&
        (oldest == entries_.end() || place->second.last_use < oldest->second.last_use))
      oldest = place;
  if (oldest == entries_.end()) return false;
  drop(oldest);
  return true;
}

}  // namespace aha
