#pragma once
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

namespace aha {

/// One page over HTTP, served by a thread of its own. GET and HEAD of `path` are answered with what `body`
/// returns then; any other path with 404, another method with 405, what is no such request with 400.
///
/// What clients can take is bounded: 8 connections at once (more are closed), a request of 8 KiB without a
/// body, 5 s until it was answered, one answer a connection.
class TextEndpoint {
 public:
  struct Page {
    std::string path;                   ///< "/metrics"
    std::string type;                   ///< its Content-Type
    std::function<std::string()> body;  ///< called from the thread
  };

  /// Listens from now on. `address` is a number, port 0 any that is free. UserError when nothing can listen
  /// there: "cannot listen at ADDRESS:PORT: why".
  TextEndpoint(const std::string& address, std::uint16_t port, Page page);
  /// Ends the thread; connections that wait for an answer are closed.
  ~TextEndpoint();
  TextEndpoint(const TextEndpoint&) = delete;
  TextEndpoint& operator=(const TextEndpoint&) = delete;

  std::uint16_t port() const;

 private:
  struct Server;
  std::unique_ptr<Server> server_;
};

}  // namespace aha
