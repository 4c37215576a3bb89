#include "trainer/comm/slurm_lists.h"

#include <algorithm>

#include "tests/support/catch.h"
#include "tests/support/error_of.h"
#include "trainer/core/file.h"
#include "trainer/core/json.h"

using namespace aha;
using namespace aha_test;

TEST_CASE("slurm lists: hosts are those that scontrol names, in its order") {
  const auto golden = Json::parse(read_file(AHA_SOURCE_DIR "/tests/golden/comm/slurm.json"));
  for (const auto& [list, expected] : golden.at("lists").items()) {
    INFO(list);
    auto hosts = expanded_hosts(list, "SLURM_JOB_NODELIST");
    auto theirs = expected.get<std::vector<std::string>>();
    REQUIRE(!hosts.empty());
    CHECK(hosts.front() == theirs.front());
    // Slurm itself writes one bracket a name; with more, scontrol's order follows no rule that it states
    if (std::count(list.begin(), list.end(), '[') > 1) {
      std::sort(hosts.begin(), hosts.end());
      std::sort(theirs.begin(), theirs.end());
    }
    CHECK(hosts == theirs);
  }
  for (const auto& list : golden.at("refused")) {
    INFO(list);
    CHECK_THAT(error_of([&] { expanded_hosts(list.get<std::string>(), "SLURM_JOB_NODELIST"); }),
               contains("SLURM_JOB_NODELIST: '"));
  }
}

TEST_CASE("slurm lists: a name may go on behind its bracket") {
  CHECK(expanded_hosts("n[1-2]-ib,m", "X") == std::vector<std::string>{"n1-ib", "n2-ib", "m"});
}

TEST_CASE("slurm lists: what is none, or too long, is refused by the variable's name") {
  for (const char* list :
       {"", ",", "n[1", "n1]", "n[1-]", "n[-1]", "n[ 1]", "n[1-2-3]", "n[1]]", "n[0-65536]",
        "n[0-999][0-999]", "n[12345678901]", "a[0-40000],b[0-40000]"}) {
    INFO(list);
    CHECK_THAT(error_of([&] { expanded_hosts(list, "SLURM_STEP_NODELIST"); }),
               contains("SLURM_STEP_NODELIST: '"));
  }
}

TEST_CASE("slurm lists: tasks of each node") {
  CHECK(expanded_tasks("1", "X") == std::vector<int>{1});
  CHECK(expanded_tasks("4(x2),1,2(x3)", "X") == std::vector<int>{4, 4, 1, 2, 2, 2});
  for (const char* list : {"", "a", "4(x", "4(x)", "4(x2", "(x2)", "4(2)", "4(x-1)", "1(x65537)",
                           "1,", "-1", "4(x2)3"}) {
    INFO(list);
    CHECK_THAT(error_of([&] { expanded_tasks(list, "SLURM_TASKS_PER_NODE"); }),
               contains("SLURM_TASKS_PER_NODE: '"));
  }
}
