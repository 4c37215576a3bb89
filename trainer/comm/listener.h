#pragma once
#include <string>

namespace aha {

/// A socket that listens on a port of 127.0.0.1 that nobody had. Handed over to rank 0 as it is, so that nobody
/// else can take the port in between. Closed on exec.
class Listener {
 public:
  /// UserError when there is no socket or no port for it.
  Listener();
  ~Listener() { close(); }
  Listener(const Listener&) = delete;
  Listener& operator=(const Listener&) = delete;

  int port() const { return port_; }
  /// -1: closed or given away.
  int file() const { return file_; }
  /// The caller closes it.
  int give();
  void close();

 private:
  int file_ = -1;
  int port_ = 0;
};

/// For a child between fork and exec: the program that it becomes keeps the file.
void keep_on_exec(int file);

/// The listener that whoever started this process has left to it: `file`, when it is a socket that listens on
/// `port` of `address`, dotted. What this process starts does not get it. -1: there is none.
int inherited_listener(int file, const std::string& address, int port);

}  // namespace aha
