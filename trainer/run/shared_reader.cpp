#include "trainer/run/shared_reader.h"

#include "trainer/core/error.h"

namespace aha {
namespace {

constexpr const char* kChoose = "choose_start";

}  // namespace

SharedReader::SharedReader(Communicator& comm, const ParameterLayout& layout)
    : comm_(comm),
      layout_(layout),
      own_(shards_of(layout.total, comm.size())[static_cast<std::size_t>(comm.rank())]) {}

LoadedCheckpoint SharedReader::read(const std::filesystem::path& folder) {
  comm_.broadcast(folder.string(), kChoose);
  return read_own(folder);
}

void SharedReader::end() {
  comm_.broadcast("", kChoose);
}

std::optional<LoadedCheckpoint> SharedReader::follow() {
  std::optional<LoadedCheckpoint> last;
  for (;;) {
    const std::string folder = comm_.broadcast("", kChoose);
    if (folder.empty()) return last;
    last.reset();
    try {
      last = read_own(folder);
    } catch (const UserError&) {  // rank 0 has it, too, and says it
    }
  }
}

LoadedCheckpoint SharedReader::read_own(const std::filesystem::path& folder) {
  std::optional<LoadedCheckpoint> loaded;
  std::string problem;
  try {
    loaded = load_checkpoint(folder, layout_, own_);
  } catch (const UserError& error) {
    problem = error.what();
  }
  for (const auto& text : comm_.all_gather(problem, "read_checkpoint"))
    if (!text.empty()) throw UserError(text);
  return std::move(*loaded);
}

}  // namespace aha
