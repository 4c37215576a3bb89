#include "trainer/run/status_file.h"

#include <unistd.h>

#include "trainer/comm/rendezvous.h"
#include "trainer/core/error.h"
#include "trainer/core/file.h"
#include "trainer/core/json.h"

namespace aha {
namespace {

constexpr double kIntervalS = 1.0;

OrderedJson rank_json(const Seen& seen) {
  const Activity& a = seen.activity;
  return {{"host", a.host},           {"phase", a.phase},     {"step", a.step},
          {"operation", a.operation}, {"seconds", a.seconds}, {"silent_s", seen.silent_s}};
}

}  // namespace

StatusFile::StatusFile(const std::filesystem::path& folder, const Communicator& comm)
    : path_(folder / kName), comm_(comm), began_(utc_text()) {
  write();
  ticker_ = std::make_unique<Ticker>(kIntervalS, [this] { write(); });
}

StatusFile::~StatusFile() {
  ticker_.reset();
  if (state_ == "running") state_ = "failed";
  write();
}

void StatusFile::set(const RunPosition& position) {
  const std::lock_guard lock(mutex_);
  position_ = position;
}

void StatusFile::end(const std::string& state) {
  const std::lock_guard lock(mutex_);
  state_ = state;
}

void StatusFile::write() {
  OrderedJson ranks = OrderedJson::array();
  for (const auto& seen : comm_.ranks())
    ranks.push_back(rank_json(seen));
  const std::lock_guard lock(mutex_);
  const RunPosition& p = position_;
  const OrderedJson status = {{"state", state_},
                              {"beat", ++beat_},
                              {"pid", ::getpid()},
                              {"host", host_name()},
                              {"began", began_},
                              {"written", utc_text()},
                              {"seconds", seconds_since(start_)},
                              {"stage", p.stage},
                              {"stage_index", p.stage_index},
                              {"num_stages", p.num_stages},
                              {"step", p.step},
                              {"total_steps", p.total_steps},
                              {"global_step", p.global_step},
                              {"ranks", std::move(ranks)}};
  try {
    replace_file(path_, dump_line(status) + '\n');
  } catch (const UserError&) {
    return;  // a full disk: the run's own files will say so
  }
}

}  // namespace aha
