#pragma once
#include <filesystem>
#include <string>
#include <vector>

namespace aha {

/// The words of a process that runs a program, in the same group and with the same streams, and ends when the program
/// does, with its exit code (128 + N after signal N). Whatever the program started ends with it, and on SIGTERM all
/// of it at once: those that left the group, too, if the process gets what its descendants leave behind
/// (ChildPlan::keeper). A shell, since it has to live on when we are killed and to be small beside us.
std::vector<std::string> kept_command(const std::filesystem::path& program,
                                      const std::vector<std::string>& arguments);

/// "ended with exit code 3", "was ended by signal 9 (Killed)": of a program whose keeper gave this status to waitpid.
std::string kept_end(int status);

}  // namespace aha
