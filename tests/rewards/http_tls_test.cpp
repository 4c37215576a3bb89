// Certificates, against the server of the openssl program.
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>

#include <chrono>
#include <cstdlib>
#include <thread>

#include "rewards/programs.h"
#include "tests/rewards/external_support.h"
#include "tests/support/catch.h"
#include "tests/support/http.h"
#include "tests/support/http_server.h"

using namespace aha;       // NOLINT
using namespace aha_test;  // NOLINT

namespace {

/// The openssl program under way, without its talk.
class OpenSsl {
 public:
  explicit OpenSsl(std::vector<std::string> arguments) {
    std::string name = "openssl";
    std::vector<char*> argv = {name.data()};
    for (auto& argument : arguments)
      argv.push_back(argument.data());
    argv.push_back(nullptr);
    posix_spawn_file_actions_t quiet;
    posix_spawn_file_actions_init(&quiet);
    for (const int file : {0, 1, 2})
      posix_spawn_file_actions_addopen(&quiet, file, "/dev/null", O_RDWR, 0);
    posix_spawnp(&pid_, "openssl", &quiet, nullptr, argv.data(), environ);
    posix_spawn_file_actions_destroy(&quiet);
  }
  ~OpenSsl() {
    if (pid_ > 0) kill(pid_, SIGKILL);
    (void)code();
  }
  OpenSsl(const OpenSsl&) = delete;
  OpenSsl& operator=(const OpenSsl&) = delete;

  /// Waits for its end.
  int code() {
    int status = 0;
    if (pid_ > 0) waitpid(std::exchange(pid_, -1), &status, 0);
    return status;
  }

 private:
  pid_t pid_ = -1;
};

/// A certificate of its own for one name, and its key.
void make_certificate(const TempFolder& folder, const std::string& name,
                      const std::string& subject) {
  OpenSsl made({"req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=test",
                "-addext", "subjectAltName=" + subject, "-keyout",
                (folder / (name + ".key")).string(), "-out", (folder / (name + ".pem")).string()});
  REQUIRE(made.code() == 0);
}

/// A port that was free a moment ago.
std::uint16_t some_port() {
  const HttpServer server([](const auto&, const auto&) { return std::string(); });
  const auto url = server.url();
  const auto colon = url.rfind(':');
  return static_cast<std::uint16_t>(std::stoul(url.substr(colon + 1)));
}

/// What a reward says of a server with that certificate, which takes no POST: once it is trusted, time runs out.
std::string start_error(const TempFolder& folder, const std::string& name,
                        const std::string& ca_file) {
  const auto port = some_port();
  const OpenSsl server({"s_server", "-accept", std::to_string(port), "-www", "-cert",
                        (folder / (name + ".pem")).string(), "-key",
                        (folder / (name + ".key")).string()});
  int file = -1;
  for (int i = 0; i < 500 && file < 0; ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
    file = connected(port);
  }
  REQUIRE(file >= 0);
  close(file);
  return error_of([&] {
    make_reward("http", {{"url", "https://127.0.0.1:" + std::to_string(port) + "/"},
                         {"ca_file", ca_file},
                         {"answer_limit_s", "1"}})
        ->reach();
  });
}

}  // namespace

TEST_CASE("http: a certificate is verified: who signed it, and for whom", "[external]") {
  if (!program_path("openssl")) {
    WARN("skipped: no openssl program");
    return;
  }
  setenv("no_proxy", "127.0.0.1", 1);
  const TempFolder folder;
  make_certificate(folder, "ours", "IP:127.0.0.1");
  make_certificate(folder, "other", "DNS:example.org");
  const auto ours = (folder / "ours.pem").string();
  CHECK_THAT(start_error(folder, "ours", ""), contains("certificate"));
  CHECK_THAT(start_error(folder, "other", (folder / "other.pem").string()), contains("127.0.0.1'"));
  const auto trusted = start_error(folder, "ours", ours);
  CHECK_THAT(trusted, contains("timed out"));
}
