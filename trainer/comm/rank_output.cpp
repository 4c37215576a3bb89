#include "trainer/comm/rank_output.h"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <string_view>
#include <utility>

namespace aha {
namespace {

constexpr std::size_t kLongestLine = 65536;
constexpr int kReads = 16;  // of 8 KiB: twice a pipe of Linux

}  // namespace

RankOutput::RankOutput(int from, std::ostream& to, std::string prefix)
    : from_(from), to_(&to), prefix_(std::move(prefix)) {
  ::fcntl(from_, F_SETFL, O_NONBLOCK);
}

RankOutput::RankOutput(RankOutput&& other) noexcept
    : from_(std::exchange(other.from_, -1)),
      to_(other.to_),
      prefix_(std::move(other.prefix_)),
      line_(std::move(other.line_)) {}

RankOutput::~RankOutput() {
  close();
}

void RankOutput::pass_on() {
  std::array<char, 8192> bytes;
  for (int i = 0; i < kReads && from_ >= 0; ++i) {
    const auto count = ::read(from_, bytes.data(), bytes.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0 && errno == EAGAIN) break;
    if (count <= 0) return close();
    for (const char c : std::string_view(bytes.data(), static_cast<std::size_t>(count))) {
      if (c != '\n') line_ += c;
      if (c == '\n' || line_.size() >= kLongestLine) put_line();
    }
  }
  to_->flush();
}

void RankOutput::put_line() {
  *to_ << prefix_ + line_ + '\n';
  line_.clear();
}

void RankOutput::close() {
  if (from_ < 0) return;
  ::close(std::exchange(from_, -1));
  if (!line_.empty()) put_line();
  to_->flush();
}

}  // namespace aha
