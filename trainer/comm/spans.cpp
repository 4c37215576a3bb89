#include "trainer/comm/spans.h"

#include "trainer/core/bytes.h"

namespace aha {

std::uint32_t SpanRecorder::number_of(std::string_view text) {
  const auto found = numbers_.find(text);
  if (found != numbers_.end()) return found->second;
  texts_.emplace_back(text);
  return numbers_[texts_.back()] = static_cast<std::uint32_t>(texts_.size() - 1);
}

void SpanRecorder::add(std::string_view name, std::string_view phase, PackedSpan span) {
  if (spans_.size() == kMost) {
    ++dropped_;
    return;
  }
  span.name = number_of(name);
  span.phase = number_of(phase);
  spans_.push_back(span);
}

std::string SpanRecorder::take() {
  ByteWriter out;
  out.add(dropped_);
  out.add(texts_.size());
  for (const auto& text : texts_)
    out.add(text);
  out.add(spans_);
  spans_.clear();
  dropped_ = 0;
  return out.take();
}

RecordedSpans read_spans(std::string_view message) {
  ByteReader in(message);
  RecordedSpans result;
  result.dropped = in.get<std::int64_t>();
  std::vector<std::string> texts;
  for (auto count = in.get<std::size_t>(); count > 0; --count)
    texts.push_back(in.text());
  for (const auto& s : in.values<PackedSpan>())
    result.spans.push_back(
        {texts.at(s.name), texts.at(s.phase), s.step, s.begin_ns, s.end_ns, s.call, s.beside != 0});
  return result;
}

}  // namespace aha
