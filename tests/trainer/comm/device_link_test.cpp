#include "trainer/comm/device_link.h"

#include <map>
#include <stdexcept>
#include <vector>

#include "tests/support/catch.h"
#include "tests/trainer/comm/ranks.h"
#include "trainer/core/error.h"

namespace aha {
namespace {

/// A network of one device that does things when it is asked for the n-th time. Of a thread, as a rank is in these tests.
struct Scripted {
  int asks_until_ready = 0;
  int asks_until_done = 0;
  std::string fault;
  std::vector<std::string> calls;
};
thread_local Scripted scripted;

const DeviceNetwork kScripted{[] {},
                              [](DeviceNetworkId* id) { id->bytes[3] = 'x'; },
                              [](const DeviceNetworkId* id, int rank, int ranks) {
                                scripted.calls.push_back(std::string("join ") + id->bytes[3] + ' ' +
                                                         std::to_string(rank) + ' ' +
                                                         std::to_string(ranks));
                              },
                              [] {
                                if (scripted.asks_until_ready-- > 0) return false;
                                scripted.calls.emplace_back("ready");
                                return true;
                              },
                              [](const DeviceGroup* group) -> std::int64_t {
                                std::string text = group->sum ? "sum" : "copy";
                                for (int i = 0; i < group->num_parts; ++i)
                                  text += ' ' + std::to_string(group->parts[i].count) + " to " +
                                          std::to_string(group->parts[i].root);
                                scripted.calls.push_back(text);
                                return 7;
                              },
                              [](std::int64_t number) {
                                if (!scripted.fault.empty())
                                  throw std::runtime_error(scripted.fault);
                                if (scripted.asks_until_done-- > 0) return false;
                                scripted.calls.push_back("done " + std::to_string(number));
                                return true;
                              },
                              [] { scripted.calls.emplace_back("abandon"); }};

std::string error_of_wait(double timeout_s, const std::string& lost = "") {
  DeviceLink link(kScripted, {timeout_s, [=] { return lost; }});
  try {
    link.wait(1);
  } catch (const std::runtime_error& error) {
    return error.what();
  }
  return "";
}

}  // namespace

TEST_CASE("device link: a group is begun when the one before is handed over, and waited for") {
  scripted = {.asks_until_ready = 3, .asks_until_done = 40, .fault = {}, .calls = {}};
  DeviceLink link(kScripted, {30, [] { return std::string(); }});
  float memory[3];
  const DevicePart parts[] = {{memory, 2, 0}, {memory + 2, 1, 3}};
  const auto number = link.begin({true, DeviceElement::Float, parts, 2});
  CHECK(scripted.calls == std::vector<std::string>{"ready", "sum 2 to 0 1 to 3"});
  link.wait(number);
  CHECK(scripted.calls.back() == "done 7");
}

TEST_CASE("device link: a deadline, a fault and a rank that left end what is under way") {
  constexpr int kNever = 1 << 30;
  scripted = {.asks_until_ready = 0, .asks_until_done = kNever, .fault = {}, .calls = {}};
  CHECK(error_of_wait(0.05) == "no end within 0.05 s");
  CHECK(error_of_wait(30, "a rank has left") == "a rank has left");
  scripted.fault = "NCCL says no";
  CHECK(error_of_wait(30) == "NCCL says no");
  CHECK(scripted.calls == std::vector<std::string>(3, "abandon"));
}

TEST_CASE("device link: ranks join by rank 0's id, and a collective without end names who waits") {
  std::vector<std::string> reports(2);
  const auto body = [&](Communicator& comm) {
    scripted = {};
    comm.join_devices(kScripted);
    check(scripted.calls.front() == "join x " + std::to_string(comm.rank()) + " 2", "joined");
    float memory[4];
    comm.wait(comm.reduce_to_owners(memory, {{0, 3}, {3, 3}}, nullptr, "reduce_gradients", Side::Device));
    check(scripted.calls.back() == "done 7", "waited for");
    scripted.calls.clear();
    scripted.asks_until_done = 1 << 30;
    try {
      comm.wait(comm.share_from_owners(memory, {{0, 1}, {1, 4}}, "share_weights", Side::Device));
    } catch (const CommError& error) {
      reports[static_cast<std::size_t>(comm.rank())] = error.what();
    }
    check(scripted.calls == std::vector<std::string>{"ready", "copy 1 to 0 3 to 1", "abandon"},
          "calls");
  };
  on_ranks(2, body, {3, 30});
  for (const auto& report : reports) {
    INFO(report);
    CHECK(report.find("share_weights failed: ") == 0);
    CHECK(report.find("no end within 3 s") != std::string::npos);
  }
}

}  // namespace aha
