#pragma once
// The one list of all keys. Reading, --set, `aha config`, the resolved dump and changed_keys are
// visitors of it: a key that is not described here does not exist.
#include <cstdint>
#include <functional>
#include <limits>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "trainer/config/schema.h"

namespace aha {

/// What there is to know of a key, but for its type and default, which the struct's member has.
struct Key {
  std::string name;                  ///< as in the file, the same word as the member
  std::string meaning;               ///< one line
  std::vector<std::string> allowed;  ///< of a text; empty: any
  double low = -std::numeric_limits<double>::infinity();
  double high = std::numeric_limits<double>::infinity();
  bool low_open = false;   ///< `low` itself is not allowed
  bool high_open = false;  ///< `high` itself is not allowed
  bool free = false;       ///< may change between the parts of one run (changed_keys)
  std::string alias;       ///< a second spelling that is read
  std::string trl;         ///< TRL's name where it differs

  Key(std::string word, std::string sentence)
      : name(std::move(word)), meaning(std::move(sentence)) {}

  Key one_of(std::vector<std::string> words) && {
    return allowed = std::move(words), std::move(*this);
  }
  Key at_least(double least) && { return low = least, std::move(*this); }
  Key above(double bound) && { return low = bound, low_open = true, std::move(*this); }
  Key at_most(double most) && { return high = most, std::move(*this); }
  Key below(double bound) && { return high = bound, high_open = true, std::move(*this); }
  Key free_to_change() && { return free = true, std::move(*this); }
  Key also(std::string other) && { return alias = std::move(other), std::move(*this); }
  Key in_trl(std::string other) && { return trl = std::move(other), std::move(*this); }
};

/// A value in a struct.
using Leaf = std::variant<bool*, std::int64_t*, std::uint64_t*, double*, std::string*,
                          std::optional<double>*, std::vector<std::string>*,
                          std::vector<std::int64_t>*, OrderedJson*>;

/// Is shown every key of a struct in the order of the file.
class Visitor {
 public:
  virtual ~Visitor() = default;
  virtual void leaf(const Key& key, Leaf value) = 0;
  /// A struct in a struct; `parts` describes its keys to a visitor.
  using Parts = std::function<void(Visitor&)>;
  virtual void section(const Key& key, const Parts& parts) = 0;
  /// data.train, which a stage may turn from a file into a task and back.
  virtual void source(const Key& key, DataSource& source) = 0;
  virtual void model(const Key& key, ModelConfigSection& model) = 0;
  virtual void init(const Key& key, std::optional<ModelInit>& init) = 0;
  /// data.eval: named sources.
  virtual void eval_sets(const Key& key, DataSection& data) = 0;
  virtual void rewards(const Key& key, std::vector<RewardFunction>& functions) = 0;
  /// Every key that is not described otherwise is one of these.
  virtual void other_keys(std::map<std::string, std::string>& options) = 0;
};

void describe(Visitor& v, ModelInit& s);
void describe(Visitor& v, ModelConfigSection& s);
void describe(Visitor& v, TaskOptions& s);
void describe(Visitor& v, DataSource& s);  ///< those of its task_options among them
void describe(Visitor& v, DataSection& s);
void describe(Visitor& v, RolloutConfig& s);
void describe(Visitor& v, RewardFunction& s);
void describe(Visitor& v, RewardSection& s);
void describe(Visitor& v, ObjectiveConfig& s);
void describe(Visitor& v, OptimConfig& s);
void describe(Visitor& v, TrainConfig& s);
void describe(Visitor& v, EvalConfig& s);
void describe(Visitor& v, CheckpointConfig& s);
void describe(Visitor& v, LogConfig& s);
void describe(Visitor& v, CommConfig& s);

/// The sections of a stage, which are those of the top level too; not `name` and `method`.
void describe_sections(Visitor& v, StageConfig& s);
/// `name` and `method` of an entry of `stages`.
void describe_head(Visitor& v, StageConfig& s);
/// The keys of the top level that are no sections; not `stages`.
void describe_job(Visitor& v, Config& s);
/// `stages` itself, which is described by describe_head and describe_sections.
Key stages_key();

}  // namespace aha
