// A scorer for the tests of reward `command`, which does what the completions ask for, good or bad. It uses
// nothing of ours. First argument: how it greets. Second: a file, to which each start adds its process id.
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <thread>
#include <utility>

namespace {

using Json = nlohmann::json;

std::string rest_of(const std::string& text, const std::string& beginning) {
  return text.rfind(beginning, 0) == 0 ? text.substr(beginning.size()) : "";
}

void answer(const Json& request, const Json& score, const Json& breakdown = nullptr) {
  std::cout << Json{{"id", request["id"]}, {"score", score}, {"breakdown", breakdown}} << std::endl;
}

/// Only the first of all copies and starts that is asked: a file says that it was.
bool first_time(const std::string& name) {
  const auto mark = name + ".once";
  if (std::filesystem::exists(mark)) return false;
  std::ofstream(mark) << "x";
  return true;
}

[[noreturn]] void end_with(const std::string& last_words) {
  std::cerr << "something before\n" << last_words << std::endl;
  _exit(3);
}

/// True when that was all of it.
bool misbehaved(const Json& request, const std::string& text, const std::string& file) {
  const std::map<std::string, std::string> lines = {
      {"garbage", "what a fine answer"},
      {"list", "[1]"},
      {"not a number", R"({"id": ")" + request["id"].get<std::string>() + R"(", "score": NaN})"},
      {"huge", std::string(std::size_t{3} << 20, 'x')},
      {"other id", R"({"id": "nobody", "score": 1})"},
      {"no id", R"({"score": 1})"},
      {"no score", Json{{"id", request["id"]}}.dump()}};
  if (const auto line = lines.find(text); line != lines.end()) {
    std::cout << line->second << std::endl;
    return true;
  }
  if (text == "crash" || (text == "crash once" && first_time(file))) end_with("no more memory");
  if (text == "kill") raise(SIGKILL);
  if (text == "exit -1") _exit(-1);
  if (text == "close") close(STDOUT_FILENO);
  if (text == "close" || text == "hang") pause();
  while (text == "endless")
    std::cout << std::string(65536, 'x') << std::flush;
  for (int i = 0; text == "talk" && i < 100000; ++i)
    std::cerr << "line " << i << " of very many\n";
  return false;
}

/// An id is given once.
void require_new(const std::string& id) {
  static std::set<std::string> seen;
  if (!seen.insert(id).second) end_with("asked twice: " + id);
}

void judge(const Json& request, const std::string& file) {
  require_new(request["id"]);
  const auto text = request["completion"].get<std::string>();
  if (misbehaved(request, text, file)) return;
  if (text == "echo") {
    const auto breakdown = Json{{"prompt", request["prompt"]}, {"row", request["row"]}};
    return answer(request, 0.25, breakdown);
  }
  if (text == "texts") return answer(request, 1, {{"extracted", "42"}, {"reason", "for a reason"}});
  if (text == "word") return answer(request, true, "a word");
  if (text == "null") return answer(request, nullptr);
  if (text == "null, because") return answer(request, nullptr, "no gold");
  if (text == "wild") return answer(request, -2e6);
  if (text == "text") return answer(request, "high");
  if (text == "libraries") {
    const char* path = std::getenv("LD_LIBRARY_PATH");
    return answer(request, 1, path == nullptr ? "none" : path);
  }
  if (text == "which") return answer(request, 1, std::to_string(getpid()));
  if (const auto pause = rest_of(text, "sleep "); !pause.empty())
    std::this_thread::sleep_for(std::chrono::milliseconds(std::stoi(pause)));
  answer(request, static_cast<double>(text.size() % 7) / 4, "");
}

/// Answers two requests in the order opposite to theirs.
void judge_in_pairs(const Json& request, const std::string& file) {
  static Json held;
  if (held.is_null()) {
    held = request;
    return;
  }
  judge(request, file);
  judge(std::exchange(held, Json()), file);
}

[[noreturn]] void wait_for_ever(const std::string& file) {
  std::ofstream(file, std::ios::app) << getpid() << "\n";
  for (;;)
    pause();
}

}  // namespace

int main(int argc, char** argv) {
  const std::string manner = argc > 1 ? argv[1] : "well";
  const std::string file = argc > 2 ? argv[2] : "";
  if (!file.empty()) std::ofstream(file, std::ios::app) << getpid() << "\n";
  if (manner == "deaf") pause();
  const auto dead = [&] { return std::filesystem::exists(file + ".dead"); };
  const char* rank = std::getenv("RANK");
  const bool there = manner == "ends on rank 1" && rank != nullptr && rank == std::string("1");
  if (manner == "ends" || there || dead()) end_with("no model here");
  if (manner == "fails later" && !first_time(file)) end_with("not again");
  if (manner == "stubborn") std::signal(SIGTERM, SIG_IGN);
  if (manner == "with a child" && fork() == 0) wait_for_ever(file);
  if (manner == "with a daemon" && fork() == 0) {
    setsid();
    if (fork() == 0) wait_for_ever(file);
    _exit(0);
  }
  for (std::string line; std::getline(std::cin, line);) {
    const auto request = Json::parse(line);
    if (dead()) end_with("no model any more");
    if (!request.contains("protocol"))
      manner == "in pairs" ? judge_in_pairs(request, file) : judge(request, file);
    else if (manner == "politely")
      std::cout << "Good morning!" << std::endl;
    else
      std::cout << Json{{"protocol", "aha-scorer"}, {"version", manner == "newer" ? 2 : 1}}
                << std::endl;
  }
  while (manner == "stubborn")
    pause();
}
