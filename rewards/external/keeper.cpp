#include "rewards/external/keeper.h"

#include <fmt/format.h>
#include <sys/wait.h>

#include <csignal>
#include <cstring>

namespace aha {
namespace {

constexpr int kSignalled = 128;  // as a shell has it

// A program in the background reads nothing unless told so: hence 3. Children that are killed leave theirs to
// us, so that there may be new ones; and one that ends between the listing and the look at it may have started another that
// is in neither: hence two looks that find none. One that cannot be killed is not waited for.
constexpr const char* kScript = R"(
end_all() {
  trap '' TERM
  passes=0
  without=0
  while [ $without -lt 2 ] && [ $passes -lt 100 ]; do
    without=$((without + 1))
    passes=$((passes + 1))
    for stat in /proc/[0-9]*/stat; do
      read -r line <"$stat" || continue
      case "${line##*) }" in
      Z*) ;;
      [A-Za-z]" $$ "*) without=0 && kill -KILL "${line%% *}" ;;
      esac
    done
  done
}
trap 'end_all; exit 143' TERM
exec 3<&0
"$@" <&3 3<&- &
exec </dev/null >/dev/null 2>&1 3<&-
wait $!
code=$?
end_all
exit $code
)";

}  // namespace

std::vector<std::string> kept_command(const std::filesystem::path& program,
                                      const std::vector<std::string>& arguments) {
  std::vector<std::string> words = {"/bin/sh", "-c", kScript, "aha-scorer", program.string()};
  words.insert(words.end(), arguments.begin(), arguments.end());
  return words;
}

std::string kept_end(int status) {
  const int code = WIFEXITED(status) ? WEXITSTATUS(status) : kSignalled + WTERMSIG(status);
  if (code <= kSignalled || code > kSignalled + SIGRTMAX)  // a program may end with 255 itself
    return fmt::format("ended with exit code {}", code);
  return fmt::format("was ended by signal {} ({})", code - kSignalled,
                     strsignal(code - kSignalled));
}

}  // namespace aha
