#include "trainer/metrics/text_endpoint.h"

#include <fcntl.h>
#include <spdlog/spdlog.h>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core/flat_static_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/string_body.hpp>
#include <boost/beast/http/write.hpp>
#include <chrono>
#include <thread>
#include <utility>

#include "trainer/core/error.h"

namespace aha {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = boost::beast::http;
using Tcp = asio::ip::tcp;
using Response = http::response<http::string_body>;
using std::chrono::seconds;

constexpr int kMostConnections = 8;
constexpr std::size_t kMostBytes = 8192;
constexpr seconds kPatience{5};

/// A program that this one starts must not keep the port.
template <class Socket>
void close_on_exec(Socket& socket) {
  ::fcntl(socket.native_handle(), F_SETFD, FD_CLOEXEC);
}

std::string text_of(beast::string_view view) {
  return {view.data(), view.size()};
}

Response plain(http::status status) {
  Response response(status, 11);
  response.set(http::field::content_type, "text/plain; charset=utf-8");
  response.body() = fmt::format("{} {}\n", response.result_int(), text_of(response.reason()));
  return response;
}

Response answer_to(const http::request<http::empty_body>& request, const TextEndpoint::Page& page) {
  if (request.method() != http::verb::get && request.method() != http::verb::head) {
    auto response = plain(http::status::method_not_allowed);
    response.set(http::field::allow, "GET, HEAD");
    return response;
  }
  const auto target = text_of(request.target());
  if (target.substr(0, target.find('?')) != page.path) return plain(http::status::not_found);
  try {
    Response response(http::status::ok, 11);
    response.set(http::field::content_type, page.type);
    response.body() = page.body();
    return response;
  } catch (const std::exception&) {
    return plain(http::status::internal_server_error);
  }
}

/// Counts connections that are open.
class Held {
 public:
  explicit Held(int& count) : count_(&count) { ++count; }
  Held(Held&& other) noexcept : count_(std::exchange(other.count_, nullptr)) {}
  Held& operator=(Held&&) = delete;
  ~Held() {
    if (count_ != nullptr) --*count_;
  }

 private:
  int* count_;
};

asio::awaitable<void> converse(Tcp::socket socket, const TextEndpoint::Page& page,
                               Held /*counted*/) {
  beast::tcp_stream stream(std::move(socket));
  stream.expires_after(kPatience);
  beast::flat_static_buffer<kMostBytes> buffer;
  http::request_parser<http::empty_body> parser;
  parser.header_limit(kMostBytes);
  beast::error_code error;
  co_await http::async_read(stream, buffer, parser,
                            asio::redirect_error(asio::use_awaitable, error));
  if (error == http::error::end_of_stream || error == beast::error::timeout) co_return;
  Response response = error ? plain(http::status::bad_request) : answer_to(parser.get(), page);
  response.keep_alive(false);
  response.prepare_payload();
  http::response_serializer<http::string_body> serializer(response);
  if (!error && parser.get().method() == http::verb::head)
    co_await http::async_write_header(stream, serializer,
                                      asio::redirect_error(asio::use_awaitable, error));
  else
    co_await http::async_write(stream, serializer,
                               asio::redirect_error(asio::use_awaitable, error));
  stream.socket().shutdown(Tcp::socket::shutdown_send, error);
}

}  // namespace

struct TextEndpoint::Server {
  explicit Server(Page served) : page(std::move(served)), acceptor(context) {}

  asio::awaitable<void> serve() {
    for (;;) {
      beast::error_code error;
      auto socket =
          co_await acceptor.async_accept(asio::redirect_error(asio::use_awaitable, error));
      if (error) {  // too many files are open, say: they may be fewer soon
        asio::steady_timer timer(context, seconds(1));
        co_await timer.async_wait(asio::use_awaitable);
        continue;
      }
      if (open >= kMostConnections) continue;
      close_on_exec(socket);
      asio::co_spawn(context, converse(std::move(socket), page, Held(open)), asio::detached);
    }
  }

  void run() {
    try {
      context.run();
    } catch (const std::exception& error) {
      spdlog::warn("{} is no longer served: {}", page.path, error.what());
    }
  }

  Page page;
  int open = 0;  ///< connections; outlives them, which the context holds
  asio::io_context context{1};
  Tcp::acceptor acceptor;
  std::thread thread;
};

TextEndpoint::TextEndpoint(const std::string& address, std::uint16_t port, Page page)
    : server_(std::make_unique<Server>(std::move(page))) {
  auto& server = *server_;
  try {
    const Tcp::endpoint place(asio::ip::make_address(address), port);
    server.acceptor.open(place.protocol());
    close_on_exec(server.acceptor);
    server.acceptor.set_option(Tcp::acceptor::reuse_address(true));
    server.acceptor.bind(place);
    server.acceptor.listen();
  } catch (const boost::system::system_error& error) {
    fail("cannot listen at {}:{}: {}", address, port, error.code().message());
  }
  asio::co_spawn(server.context, server.serve(), asio::detached);
  server.thread = std::thread([&server] { server.run(); });
}

TextEndpoint::~TextEndpoint() {
  server_->context.stop();
  if (server_->thread.joinable()) server_->thread.join();
}

std::uint16_t TextEndpoint::port() const {
  return server_->acceptor.local_endpoint().port();
}

}  // namespace aha
