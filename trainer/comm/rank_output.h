#pragma once
#include <ostream>
#include <string>

namespace aha {

/// One stream of a rank: whole lines of what is read from the file `from` go to `to`, each behind a
/// prefix. Owns `from`. A line without its end waits for it, up to 64 KiB; at the end of the stream it
/// goes as it is.
class RankOutput {
 public:
  RankOutput(int from, std::ostream& to, std::string prefix);
  ~RankOutput();
  RankOutput(RankOutput&& other) noexcept;
  RankOutput& operator=(RankOutput&&) = delete;
  RankOutput(const RankOutput&) = delete;
  RankOutput& operator=(const RankOutput&) = delete;

  /// -1 after the end of the stream.
  int file() const { return from_; }

  /// Takes what is there, without waiting for more: as much as a pipe holds.
  void pass_on();

 private:
  void put_line();
  void close();

  int from_;
  std::ostream* to_;
  std::string prefix_;
  std::string line_;
};

}  // namespace aha
