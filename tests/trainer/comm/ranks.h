#pragma once
#include <exception>
#include <functional>
#include <thread>
#include <vector>

#include "trainer/comm/communicator.h"
#include "trainer/comm/listener.h"

namespace aha {

/// How ranks have each other's bytes.
enum class Bytes { Sent, Fetched };

/// Runs `body` on `size` ranks, each a thread with a communicator of its own. What a rank throws is
/// rethrown, the lowest rank's first.
inline void on_ranks(int size, const std::function<void(Communicator&)>& body,
                     const CommOptions& options = {30, 30}, Bytes bytes = Bytes::Sent) {
  Listener listener;
  const int port = listener.port();
  const int file = listener.give();
  std::vector<std::exception_ptr> errors(static_cast<std::size_t>(size));
  std::vector<std::thread> threads;
  threads.reserve(errors.size());
  for (int r = 0; r < size; ++r)
    threads.emplace_back([&, r] {
      try {
        Placement placement;
        placement.rank = r;
        placement.world_size = size;
        placement.master_port = port;
        if (r == 0) placement.listener = file;
        Communicator comm(placement, options);
        if (bytes == Bytes::Fetched) comm.join_neighbours();
        body(comm);
        comm.finish();
      } catch (...) {
        errors[static_cast<std::size_t>(r)] = std::current_exception();
      }
    });
  for (auto& thread : threads)
    thread.join();
  for (const auto& error : errors)
    if (error) std::rethrow_exception(error);
}

/// The same on ranks that send, and on ranks that fetch.
inline void on_ranks_either_way(int size, const std::function<void(Communicator&)>& body) {
  for (const auto bytes : {Bytes::Sent, Bytes::Fetched})
    on_ranks(size, body, {30, 30}, bytes);
}

}  // namespace aha
