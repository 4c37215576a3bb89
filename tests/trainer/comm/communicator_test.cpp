#include "trainer/comm/communicator.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <csignal>
#include <numeric>
#include <thread>

#include "tests/support/catch.h"
#include "tests/trainer/comm/ranks.h"
#include "trainer/comm/neighbours.h"
#include "trainer/core/error.h"

namespace aha {
namespace {

std::size_t at(std::int64_t i) {
  return static_cast<std::size_t>(i);
}

}  // namespace

TEST_CASE("shards: slices cover the buffer, begin at units, and may be empty") {
  for (const std::int64_t total : {1, 4095, 4096, 4097, 100'000})
    for (const int ranks : {1, 2, 3, 7}) {
      std::int64_t next = 0;
      for (const auto& slice : shards_of(total, ranks)) {
        CHECK(slice.begin == next);
        CHECK(slice.begin % kShardUnit * (slice.size() > 0 ? 1 : 0) == 0);
        CHECK(slice.end >= slice.begin);
        next = slice.end;
      }
      CHECK(next == total);
    }
}

TEST_CASE("communicator: nobody takes the port between its choice and rank 0, who serves there") {
  Listener listener;
  Placement placement;
  placement.world_size = 2;
  placement.master_port = listener.port();
  placement.listener = listener.give();
  const auto taken_by_another = [&] {
    const int other = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port = htons(static_cast<std::uint16_t>(placement.master_port));
    const bool taken = ::bind(other, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0;
    ::close(other);
    return taken;
  };
  CHECK_FALSE(taken_by_another());
  ::fcntl(placement.listener, F_SETFD, 0);  // as a child has it
  CHECK(inherited_listener(placement.listener, "127.0.0.1", placement.master_port) >= 0);
  CHECK(::fcntl(placement.listener, F_GETFD) == FD_CLOEXEC);
  CHECK(inherited_listener(placement.listener, "127.0.0.2", placement.master_port) < 0);
  CHECK(inherited_listener(placement.listener, "127.0.0.1", placement.master_port - 1) < 0);
  CHECK(inherited_listener(0, "127.0.0.1", placement.master_port) < 0);
  std::thread rank0([&] {
    Communicator comm(placement, {30, 30});
    CHECK(comm.broadcast("met", "test") == "met");
    comm.finish();
  });
  Placement second = placement;
  second.rank = 1;
  Communicator comm(second, {30, 30});
  CHECK_FALSE(taken_by_another());
  CHECK(comm.broadcast("", "test") == "met");
  comm.finish();
  rank0.join();
}

TEST_CASE("communicator: one rank needs no network, and everything returns what it was given") {
  Communicator comm;
  CHECK(comm.size() == 1);
  CHECK(comm.leads());
  CHECK(comm.all_gather("mine", "test") == std::vector<std::string>{"mine"});
  CHECK(comm.any(true, "test"));
  CHECK_FALSE(comm.any(false, "test"));
  comm.open_queue();
  CHECK(comm.claim() == 0);
  CHECK(comm.claim() == 1);
  comm.open_queue();
  CHECK(comm.claim() == 0);
}

TEST_CASE("communicator: sums reach their owners, values come back to all, for uneven shards") {
  const int ranks = GENERATE(2, 3);
  const std::int64_t total = 20 * kShardUnit + 17;
  const std::int64_t parts = ranks * (ranks + 1) / 2;
  const auto slices = shards_of(total, ranks);
  on_ranks_either_way(ranks, [&](Communicator& comm) {
    const int me = comm.rank();
    std::vector<float> values(at(total));
    std::vector<std::int64_t> whole(at(total));
    for (std::int64_t i = 0; i < total; ++i) {
      values[at(i)] = static_cast<float>(i * (me + 1));
      whole[at(i)] = (std::int64_t{1} << 40) * (me + 1) + i;
    }
    std::vector<float> room(at(comm.room_for(slices)));
    std::vector<std::int64_t> whole_room(room.size());
    auto floats = comm.reduce_to_owners(values.data(), slices, room.data(), "floats");
    comm.wait(comm.reduce_to_owners(whole.data(), slices, whole_room.data(), "integers"));
    comm.wait(std::move(floats));
    const Slice own = slices[at(me)];
    for (std::int64_t i = own.begin; i < own.end; ++i) {
      if (values[at(i)] != static_cast<float>(i * parts)) throw std::runtime_error("float sum");
      if (whole[at(i)] != parts * (std::int64_t{1} << 40) + ranks * i)
        throw std::runtime_error("i64 sum");
      values[at(i)] = static_cast<float>(i + 1);
    }
    comm.wait(comm.share_from_owners(values.data(), slices, "share"));
    for (std::int64_t i = 0; i < total; ++i)
      if (values[at(i)] != static_cast<float>(i + 1)) throw std::runtime_error("shared");
  });
}

TEST_CASE("communicator: parts of a sum are added in rank order, whoever owns it") {
  const std::vector<float> of_rank{1.0F, 16777216.0F, -16777216.0F, 3.0F};
  float sum = of_rank[0];
  for (std::size_t r = 1; r < of_rank.size(); ++r)
    sum += of_rank[r];
  REQUIRE(sum == 3.0F);  // and 4 if the two large ones come first
  const auto slices = shards_of(4 * kShardUnit, 4);
  on_ranks_either_way(4, [&](Communicator& comm) {
    std::vector<float> values(at(4 * kShardUnit), of_rank[at(comm.rank())]);
    std::vector<float> room(at(comm.room_for(slices)));
    comm.wait(comm.reduce_to_owners(values.data(), slices, room.data(), "sum"));
    const Slice own = slices[at(comm.rank())];
    for (auto i = own.begin; i < own.end; ++i)
      if (values[at(i)] != sum) throw std::runtime_error("order");
  });
}

TEST_CASE(
    "communicator: neighbours have no room for parts, and wait until theirs have been fetched") {
  const auto slices = shards_of(4 * kShardUnit, 2);
  std::atomic<bool> fetched = false;
  const auto body = [&](Communicator& comm) {
    if (!comm.among_neighbours() || comm.room_for(slices) != 0) throw std::runtime_error("room");
    std::vector<float> values(at(4 * kShardUnit), 1.0F);
    auto transfer = comm.share_from_owners(values.data(), slices, "share");
    if (comm.rank() == 1) {
      std::this_thread::sleep_for(std::chrono::milliseconds(50));
      fetched = true;
    }
    comm.wait(std::move(transfer));
    if (!fetched) throw std::runtime_error("rank 1 had not been here");
  };
  on_ranks(2, body, {30, 30}, Bytes::Fetched);
}

TEST_CASE("communicator: a rank that ends behind a text has been heard by its neighbours") {
  std::atomic<int> heard = 0;
  for (int round = 0; round < 5; ++round)
    try {
      on_ranks(
          3,
          [&](Communicator& comm) {
            if (comm.rank() > 0) std::this_thread::sleep_for(std::chrono::milliseconds(5));
            const auto all = comm.all_gather(std::string(100'000, 'x'), "problems");
            bool whole = true;
            for (const auto& text : all)
              whole = whole && text == std::string(100'000, 'x');
            if (whole) ++heard;
            throw std::runtime_error("what all know");  // no finish: the communicator goes
          },
          {30, 30}, Bytes::Fetched);
    } catch (const std::runtime_error& error) {
      CHECK(std::string(error.what()) == "what all know");
    }
  CHECK(heard == 15);
}

TEST_CASE("neighbours: who cannot be read is found, and what is not there is an error") {
  Neighbours one(0, 30), other(1, 30);
  CHECK(one.reach({one.introduction(), other.introduction()}));
  static const std::uint64_t word = 7;
  const pid_t child = ::fork();
  if (child == 0) {
    for (;;)
      ::pause();
  }
  std::string theirs = one.introduction();  // the child's memory holds the same at the same place
  const pid_t me = ::getpid();
  const auto place = theirs.find(std::string(reinterpret_cast<const char*>(&me), sizeof me));
  REQUIRE(place != std::string::npos);
  theirs.replace(place, sizeof child, reinterpret_cast<const char*>(&child), sizeof child);
  CHECK(one.reach({one.introduction(), theirs}));
  std::uint64_t found = 0;
  one.read(1, reinterpret_cast<std::uint64_t>(&word), &found, sizeof found);
  CHECK(found == 7);
  CHECK_THROWS_WITH(one.read(1, 8, &found, sizeof found),
                    aha_test::contains("the memory of rank 1 cannot be read: "));
  ::kill(child, SIGKILL);
  ::waitpid(child, nullptr, 0);
  CHECK_THROWS(one.read(1, reinterpret_cast<std::uint64_t>(&word), &found, sizeof found));
  CHECK_FALSE(one.reach({one.introduction(), theirs}));
  Neighbours another(1, 30);  // what lies there is not what was said
  std::string wrong = another.introduction();
  wrong.back() ^= 1;
  CHECK_FALSE(one.reach({one.introduction(), wrong}));
  std::string elsewhere = another.introduction();
  elsewhere[sizeof(std::size_t)] ^= 1;  // another machine's name
  CHECK_FALSE(one.reach({one.introduction(), elsewhere}));
}

TEST_CASE("communicator: bytes of any length arrive whole and in rank order") {
  on_ranks_either_way(4, [](Communicator& comm) {
    const auto text = std::string(at(comm.rank()) * 1000, static_cast<char>('a' + comm.rank()));
    const auto all = comm.all_gather(text, "texts");
    for (std::size_t r = 0; r < all.size(); ++r)
      if (all[r] != std::string(r * 1000, static_cast<char>('a' + r)))
        throw std::runtime_error("all_gather");
    if (comm.broadcast("from " + std::to_string(comm.rank()), "word") != "from 0")
      throw std::runtime_error("broadcast");
    if (!comm.any(comm.rank() == 2, "any")) throw std::runtime_error("any");
    if (comm.any(false, "none")) throw std::runtime_error("none");
  });
}

TEST_CASE("communicator: every number of a queue is claimed once") {
  std::atomic<std::int64_t> sum = 0;
  std::atomic<int> claims = 0;
  on_ranks(3, [&](Communicator& comm) {
    for (int queue = 0; queue < 2; ++queue) {
      comm.open_queue();
      for (std::int64_t i = comm.claim(); i < 50; i = comm.claim()) {
        sum += i;
        ++claims;
      }
    }
  });
  CHECK(claims == 2 * 50);
  CHECK(sum == 2 * 49 * 50 / 2);
}

TEST_CASE("communicator: a collective that one rank does not join names the rank and its phase") {
  const std::vector<Slice> slices{{0, 3}, {3, 6}};
  std::vector<float> values(6), room(3);  // which the network keeps using when the sum has failed
  for (const bool sum : {false, true}) {
    std::string report;
    std::atomic<bool> done = false;
    try {
      on_ranks(2,
               [&](Communicator& comm) {
                 if (comm.rank() == 1) {
                   const Phase phase(comm, "rollout", 12);
                   while (!done)
                     ::usleep(10'000);
                   throw UserError("never mind");
                 }
                 try {
                   constexpr auto kName = "reduce_gradients";
                   if (sum)
                     comm.wait(comm.reduce_to_owners(values.data(), slices, room.data(), kName));
                   else
                     comm.barrier(kName);
                 } catch (...) {
                   done = true;
                   throw;
                 }
               },
               {5, 30});
    } catch (const CommError& error) {
      report = error.what();
    }
    INFO(report);
    CHECK(report.find("reduce_gradients failed") == 0);
    CHECK(report.find("is in rollout of step 12 since") != std::string::npos);
    CHECK(report.find("rank 0 waits in reduce_gradients") != std::string::npos);
  }
}

TEST_CASE("communicator: a rank that ends with an error tells the others why") {
  std::string report;
  try {
    on_ranks(2,
             [&](Communicator& comm) {
               if (comm.rank() == 1) {
                 comm.leave("the disk is full");
                 throw UserError("the disk is full");
               }
               comm.barrier("gather_groups");
             },
             {3, 30});
  } catch (const CommError& error) {
    report = error.what();
  }
  INFO(report);
  CHECK(report.find("ended: the disk is full") != std::string::npos);
}

TEST_CASE("communicator: a port that is taken is an error that names it") {
  const int fd = ::socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_ANY);
  socklen_t size = sizeof address;
  REQUIRE(::bind(fd, reinterpret_cast<sockaddr*>(&address), size) == 0);
  ::listen(fd, 1);
  ::getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size);
  Placement placement;
  placement.world_size = 2;
  placement.master_port = ntohs(address.sin_port);
  std::string what;
  try {
    const Communicator comm(placement, {2, 30});
  } catch (const CommError& error) {
    what = error.what();
  }
  ::close(fd);
  INFO(what);
  CHECK(what.find(std::to_string(placement.master_port)) != std::string::npos);
  CHECK(what.find("MASTER_PORT") != std::string::npos);
}

}  // namespace aha
