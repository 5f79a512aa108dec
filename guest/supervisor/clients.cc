#include "guest/supervisor/clients.h"

#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <charconv>

namespace umlfarm::guest {
namespace {

constexpr std::size_t kMostClients = 64;

bool parse_size(std::string_view text, std::uint16_t& rows, std::uint16_t& columns) {
  const char* const end = text.data() + text.size();
  const auto first = std::from_chars(text.data(), end, rows);
  if (first.ec != std::errc() || first.ptr == end || *first.ptr != ' ') return false;
  const auto second = std::from_chars(first.ptr + 1, end, columns);
  return second.ec == std::errc() && second.ptr == end;
}

}  // namespace

void Clients::watch(std::vector<pollfd>& watched) const {
  watched.push_back({listener_.get(), POLLIN, 0});
  for (const Handle& client : clients_) {
    // Input that the guest has not taken holds its sender back.
    const bool full = !client->input.empty();
    watched.push_back({client->socket.get(), static_cast<short>(full ? 0 : POLLIN), 0});
    if (full) watched.push_back({target_.console().master(), POLLOUT, 0});
  }
}

void Clients::serve(std::span<const pollfd> watched) {
  const std::list<Handle> before = clients_;
  std::size_t at = 1;
  for (const Handle& client : before) {
    const bool full = !client->input.empty();
    const short events = watched[at++].revents;
    if (full) {
      if (watched[at++].revents != 0) give_input(*client);
      if ((events & (POLLHUP | POLLERR)) != 0) client->gone = true;
    } else if (events != 0) {
      receive(client);
    }
  }
  if (watched[0].revents != 0) accept();
  clients_.remove_if([](const Handle& client) { return client->gone; });
}

void Clients::accept() {
  UniqueFd socket(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
  if (!socket || clients_.size() >= kMostClients) return;
  clients_.push_back(std::make_shared<Client>());
  clients_.back()->socket = std::move(socket);
}

void Clients::receive(const Handle& client) {
  std::array<char, 8192> packet;
  const ssize_t size = ::recv(client->socket.get(), packet.data(), packet.size(), MSG_DONTWAIT);
  if (size < 0 && (errno == EAGAIN || errno == EINTR)) return;
  if (size <= 0) {
    client->gone = true;
    return;
  }
  const std::string_view text(packet.data(), static_cast<std::size_t>(size));
  if (client->attached) return on_attached_packet(*client, text);
  const auto request = parse_request(text);
  if (!request) {
    send(*client, error_answer(request.error()));
    return;
  }
  answer(client, *request);
}

void Clients::answer(const Handle& client, const ControlRequest& request) {
  using Verb = ControlRequest::Verb;
  switch (request.verb) {
    case Verb::Watch:
      client->watching = true;
      [[fallthrough]];
    case Verb::Status:
      send(*client, ok_answer(to_text(target_.status())));
      return;
    case Verb::Mconsole:
      target_.mconsole(request.command, [client](const Result<mconsole::Reply>& reply) {
        if (!reply) {
          send(*client, error_answer(reply.error()));
        } else if (reply->failed()) {
          send(*client,
               error_answer(Error(Kind::Invalid, "the guest's management console: " + reply->text())));
        } else {
          send(*client, ok_answer(std::string_view(reply->text()).substr(0, kMostPacket - 16)));
        }
      });
      return;
    case Verb::Stop:
      send(*client, ok_answer());
      return target_.stop(request.patience);
    case Verb::Kill:
      send(*client, ok_answer());
      return target_.kill();
    case Verb::Attach:
      client->attached = true;
      send(*client, ok_answer());
      if (!target_.console().tail().empty()) send(*client, target_.console().tail());
      return;
  }
}

void Clients::on_attached_packet(Client& client, std::string_view packet) {
  std::uint16_t rows = 0;
  std::uint16_t columns = 0;
  if (packet[0] == 'd') {
    client.input = packet.substr(1);
    give_input(client);
  } else if (packet[0] == 'w' && parse_size(packet.substr(1), rows, columns)) {
    target_.console().resize(rows, columns);
  }
}

void Clients::give_input(Client& client) {
  client.input.erase(0, target_.console().give_input(client.input));
}

bool Clients::send(Client& client, std::string_view packet) {
  const ssize_t sent = ::send(client.socket.get(), packet.data(), packet.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
  if (sent < 0 && errno != EAGAIN) client.gone = true;
  return sent >= 0;
}

void Clients::on_console_output(const std::string& output) {
  if (output.empty()) return;
  for (const Handle& client : clients_) {
    if (client->attached && !send(*client, output)) dropped_ += output.size();
  }
}

void Clients::on_status_change() {
  const std::string status = ok_answer(to_text(target_.status()));
  for (const Handle& client : clients_) {
    if (client->watching) send(*client, status);
  }
}

}  // namespace umlfarm::guest
