#include "trainer/objective/surrogate.h"

#include <algorithm>
#include <cmath>

#include "trainer/core/error.h"

namespace aha {
namespace {

SurrogateTerm clip_term(const ObjectiveConfig& o, double r, double advantage) {
  const double low = 1.0 - o.epsilon;
  const double high = 1.0 + o.epsilon_high.value_or(o.epsilon);
  const bool held = o.delta && r > *o.delta;
  const double plain = -(held ? *o.delta : r) * advantage;
  const double clipped = -std::clamp(r, low, high) * advantage;
  SurrogateTerm term;
  const bool inside = r >= low && r <= high;
  if (plain >= clipped) {
    term.loss = plain;
    term.d_log_ratio = held ? 0.0 : -r * advantage;
  } else {
    term.loss = clipped;
    term.d_log_ratio = inside ? -r * advantage : 0.0;
  }
  if (o.dual_clip && advantage < 0 && term.loss > -*o.dual_clip * advantage) {
    term.loss = -*o.dual_clip * advantage;
    term.d_log_ratio = 0.0;
  }
  term.low = advantage < 0 && r < low;
  term.high = advantage > 0 && r > high;
  return term;
}

SurrogateTerm cispo_term(const ObjectiveConfig& o, double r, double logprob, double advantage) {
  const double weight = std::clamp(r, o.is_cap_low, o.is_cap_high);
  SurrogateTerm term;
  term.loss = -weight * advantage * logprob;
  term.d_logprob = -weight * advantage;
  term.low = advantage < 0 && r < o.is_cap_low;
  term.high = advantage > 0 && r > o.is_cap_high;
  return term;
}

SurrogateTerm sapo_term(const ObjectiveConfig& o, double r, double advantage) {
  const double tau = advantage > 0 ? o.sapo_temperature_pos : o.sapo_temperature_neg;
  const double gate = 1.0 / (1.0 + std::exp(-tau * (r - 1.0)));
  SurrogateTerm term;
  term.loss = -gate * 4.0 / tau * advantage;
  term.d_log_ratio = -4.0 * gate * (1.0 - gate) * r * advantage;
  return term;
}

}  // namespace

PolicyLossKind policy_loss_kind(std::string_view name) {
  if (name == "clip") return PolicyLossKind::Clip;
  if (name == "cispo") return PolicyLossKind::Cispo;
  if (name == "sapo") return PolicyLossKind::Sapo;
  if (name == "gpg") return PolicyLossKind::Gpg;
  check(name == "gmpo", "policy_loss is clip, cispo, gmpo, sapo or gpg");
  return PolicyLossKind::Gmpo;
}

SurrogateTerm surrogate(PolicyLossKind kind, const ObjectiveConfig& objective, double log_ratio,
                        double logprob, double advantage) {
  switch (kind) {
    case PolicyLossKind::Clip:
      return clip_term(objective, std::exp(log_ratio), advantage);
    case PolicyLossKind::Cispo:
      return cispo_term(objective, std::exp(log_ratio), logprob, advantage);
    case PolicyLossKind::Sapo:
      return sapo_term(objective, std::exp(log_ratio), advantage);
    case PolicyLossKind::Gpg: {
      SurrogateTerm term;
      term.loss = -advantage * logprob;
      term.d_logprob = -advantage;
      return term;
    }
    case PolicyLossKind::Gmpo:
      break;
  }
  check(false, "gmpo's loss is of a whole completion");
  return {};
}

SurrogateTerm gmpo_factor(const ObjectiveConfig& objective, double log_ratio, double advantage) {
  SurrogateTerm term;
  term.low = advantage < 0 && log_ratio < -objective.gmpo_clip;
  term.high = advantage > 0 && log_ratio > objective.gmpo_clip;
  term.loss = log_ratio;
  if (term.low) term.loss = -objective.gmpo_clip;
  if (term.high) term.loss = objective.gmpo_clip;
  term.d_log_ratio = term.low || term.high ? 0.0 : 1.0;
  return term;
}

}  // namespace aha
