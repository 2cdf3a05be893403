#include "config/shared/channel.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <iterator>
#include <system_error>
#include <utility>
#include <vector>

namespace gray {
namespace {

constexpr std::string_view kInMemfd = "memfd";                   // a packet: the message is in the descriptor
constexpr std::size_t kDescriptorRoom = 1 + kMaxAllowlists + 7;  // more than any message has, so that they are closed

union Control {
  char bytes[CMSG_SPACE(kDescriptorRoom * sizeof(int))];
  cmsghdr align;
};

bool carries_descriptor(ChannelMessage::Type type) {
  return type == ChannelMessage::Type::table || type == ChannelMessage::Type::reopen ||
         type == ChannelMessage::Type::secrets;
}

void attach_descriptors(msghdr& header, Control& control, const std::vector<int>& fds) {
  header.msg_control = control.bytes;
  header.msg_controllen = CMSG_SPACE(fds.size() * sizeof(int));
  cmsghdr* block = CMSG_FIRSTHDR(&header);
  block->cmsg_level = SOL_SOCKET;
  block->cmsg_type = SCM_RIGHTS;
  block->cmsg_len = CMSG_LEN(fds.size() * sizeof(int));
  std::memcpy(CMSG_DATA(block), fds.data(), fds.size() * sizeof(int));
}

/// Every descriptor of the packet, owned at once, so that none leaks, whatever the packet contains.
std::vector<UniqueFd> descriptors_of(msghdr& header) {
  std::vector<UniqueFd> all;
  for (cmsghdr* block = CMSG_FIRSTHDR(&header); block != nullptr; block = CMSG_NXTHDR(&header, block)) {
    if (block->cmsg_level != SOL_SOCKET || block->cmsg_type != SCM_RIGHTS) continue;
    const std::size_t count = (block->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    for (std::size_t i = 0; i < count; ++i) {
      int fd = -1;
      std::memcpy(&fd, CMSG_DATA(block) + i * sizeof(int), sizeof(int));
      all.emplace_back(fd);
    }
  }
  return all;
}

ChannelResult result_of(int problem) {
  switch (problem) {
    case EAGAIN:
    case ENOBUFS: return ChannelResult::again;
    case EPIPE:
    case ECONNRESET: return ChannelResult::closed;
    default: return ChannelResult::invalid;
  }
}

/// An unexpected descriptor is as wrong as a missing one.
std::string descriptor_problem(const ChannelMessage& message, std::size_t count) {
  if (carries_descriptor(message.type) && count == 0) return "a message has no descriptor, but its type needs one";
  if (count < 1 + message.list_count && message.list_count > 0) return "a table has fewer descriptors than allowlists";
  if (count > (carries_descriptor(message.type) ? 1 + message.list_count : 0))
    return "a message has an unexpected descriptor";
  return {};
}

}  // namespace

ChannelResult send_message(int channel, const ChannelMessage& message) {
  std::string text = to_json_text(message);
  UniqueFd large;
  if (text.size() > kChannelPacket) {
    if (message.fd || text.size() > kChannelMessage) return ChannelResult::invalid;
    try {
      large = sealed_memfd("grayd-message", text);
    } catch (const std::system_error&) {  // no descriptor or no memory: as a packet that the kernel refuses
      return ChannelResult::invalid;
    }
    text = kInMemfd;
  }
  iovec part{.iov_base = text.data(), .iov_len = text.size()};
  msghdr header{};
  header.msg_iov = &part;
  header.msg_iovlen = 1;
  Control control{};
  std::vector<int> fds;
  for (const UniqueFd* fd : {&message.fd, &std::as_const(large)})
    if (*fd) fds.push_back(fd->get());
  for (const UniqueFd& list : message.lists) fds.push_back(list.get());
  if (fds.size() > kDescriptorRoom) return ChannelResult::invalid;
  if (!fds.empty()) attach_descriptors(header, control, fds);
  ssize_t sent = 0;
  do sent = ::sendmsg(channel, &header, MSG_DONTWAIT | MSG_NOSIGNAL);
  while (sent < 0 && errno == EINTR);
  return sent < 0 ? result_of(errno) : ChannelResult::ok;
}

ChannelResult receive_message(int channel, ChannelMessage& message, std::string& error) {
  std::array<char, kChannelPacket> buffer;
  iovec part{.iov_base = buffer.data(), .iov_len = buffer.size()};
  msghdr header{};
  header.msg_iov = &part;
  header.msg_iovlen = 1;
  Control control{};
  header.msg_control = control.bytes;
  header.msg_controllen = sizeof(control.bytes);
  ssize_t got = 0;
  do got = ::recvmsg(channel, &header, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
  while (got < 0 && errno == EINTR);
  if (got < 0) {
    const int problem = errno;
    error = std::generic_category().message(problem);
    return result_of(problem);
  }
  std::vector<UniqueFd> descriptors = descriptors_of(header);
  if (got == 0) return ChannelResult::closed;
  if ((header.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) != 0) {
    error = "a packet is larger than the protocol allows";
    return ChannelResult::invalid;
  }
  std::string_view text(buffer.data(), static_cast<std::size_t>(got));
  std::optional<std::string> large;
  if (text == kInMemfd && descriptors.size() == 1) {
    large = read_memfd(descriptors.front().get(), kChannelMessage);
    if (!large) {
      error = "a memfd with a message is unreadable, too large or not sealed";
      return ChannelResult::invalid;
    }
    text = *large;
    descriptors.clear();
  }
  auto read = channel_message_from_json(text, error);
  if (!read) return ChannelResult::invalid;
  error = descriptor_problem(*read, descriptors.size());
  if (!error.empty()) return ChannelResult::invalid;
  if (!descriptors.empty()) {
    read->fd = std::move(descriptors.front());
    read->lists.assign(std::make_move_iterator(descriptors.begin() + 1), std::make_move_iterator(descriptors.end()));
  }
  message = std::move(*read);
  return ChannelResult::ok;
}

UniqueFd sealed_memfd(const char* name, std::string_view bytes) {
  const auto fail = [&](const char* what) { throw std::system_error(errno, std::generic_category(), what); };
  UniqueFd fd(::memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING));
  if (!fd) fail("cannot create a memfd");
  while (!bytes.empty()) {
    const ssize_t written = ::write(fd.get(), bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) fail("cannot write to a memfd");
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
  if (::fcntl(fd.get(), F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) != 0)
    fail("cannot seal a memfd");
  return fd;
}

std::optional<std::string> read_memfd(int fd, std::size_t limit) {
  constexpr int kNeeded = F_SEAL_WRITE | F_SEAL_SHRINK;
  const int seals = ::fcntl(fd, F_GET_SEALS);
  struct stat info{};
  if (seals < 0 || (seals & kNeeded) != kNeeded || ::fstat(fd, &info) != 0) return std::nullopt;
  if (static_cast<std::size_t>(info.st_size) > limit) return std::nullopt;
  std::string bytes(static_cast<std::size_t>(info.st_size), '\0');
  std::size_t done = 0;
  while (done < bytes.size()) {  // pread: the offset is shared by all processes that have the file open
    const ssize_t got = ::pread(fd, bytes.data() + done, bytes.size() - done, static_cast<off_t>(done));
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return std::nullopt;
    done += static_cast<std::size_t>(got);
  }
  return bytes;
}

}  // namespace gray
