// nccl.cu for the pretended device: ranks are processes that leave each other files in a folder, a file a group and rank.
//
// What a rank sends is read when the group is begun, after all that was asked of the table before. From then on until it is
// known to be done its parts are nonsense, and nobody may write to them: the program ends where a call of the table did.
#include <cuda_on_host_state.h>
#include <unistd.h>

#include <cstdlib>
#include <deque>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <utility>

#include "trainer/kernels/cuda/device.h"
#include "trainer/kernels/cuda_library.h"

namespace aha::cuda {
namespace {

namespace fs = std::filesystem;
using cuda_on_host::Reach;
using Bytes = std::vector<char>;

struct Part {
  char* memory;
  std::size_t bytes;
  int root;
  Bytes meanwhile;  ///< what stands there until the group is done
};

struct Group {
  bool sum;
  DeviceElement element;
  std::vector<Part> parts;
};

/// Of this process. Rank 0 takes the folder away when it ends well.
struct Network {
  fs::path folder;
  int rank = -1, ranks = 0;
  bool abandoned = false;
  std::int64_t begun = 0, done = 0;
  std::deque<Group> groups;  ///< begun and not done
  ~Network() {
    std::error_code error;
    if (rank == 0) fs::remove_all(folder, error);
  }
};
Network network;

fs::path file_of(std::int64_t group, int rank) {
  return network.folder / (std::to_string(group) + '.' + std::to_string(rank));
}

/// There as a whole or not at all.
void leave(const fs::path& file, const Bytes& bytes) {
  const fs::path part = file.string() + ".part";
  std::ofstream(part, std::ios::binary).write(bytes.data(), std::ssize(bytes));
  fs::rename(part, file);
}

Bytes read(const fs::path& file) {
  std::ifstream in(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

std::size_t size_of(DeviceElement element) {
  return element == DeviceElement::Float ? 4 : element == DeviceElement::Int64 ? 8 : 2;
}

template <class T>
void add(const char* from, std::size_t bytes, char* to) {
  for (std::size_t i = 0; i < bytes; i += sizeof(T)) {
    T a, b;
    std::memcpy(&a, to + i, sizeof a);
    std::memcpy(&b, from + i, sizeof b);
    a += b;
    std::memcpy(to + i, &a, sizeof a);
  }
}

/// Whether a rank sends a part.
bool sends(const Group& group, const Part& part, int rank) {
  return group.sum || part.root == rank;
}

void open() {}

void make_id(DeviceNetworkId* id) {
  std::string path = (fs::temp_directory_path() / "aha_pretended_XXXXXX").string();
  if (mkdtemp(path.data()) == nullptr || path.size() >= sizeof id->bytes)
    cuda_on_host::stop("no folder for the network");
  std::memcpy(id->bytes, path.c_str(), path.size() + 1);
}

void join(const DeviceNetworkId* id, int rank, int ranks) {
  network.folder = id->bytes;
  network.rank = rank;
  network.ranks = ranks;
  leave(file_of(0, rank), {});
}

bool ready() {
  if (network.rank < 0 || network.abandoned) cuda_on_host::stop("no network was joined");
  for (int r = 0; r < network.ranks; ++r)
    if (!fs::exists(file_of(0, r))) return false;
  return true;
}

std::int64_t begin(const DeviceGroup* asked) {
  if (!ready()) cuda_on_host::stop("a group is begun before the network is ready");
  if (asked->sum && asked->element == DeviceElement::Half) cuda_on_host::stop("halves are summed");
  cuda_on_host::finish(cuda_on_host::asked);
  Group group{asked->sum, asked->element, {}};
  Bytes sent;
  for (int i = 0; i < asked->num_parts; ++i) {
    const DevicePart& p = asked->parts[i];
    if (p.count <= 0) cuda_on_host::stop("a part of a group is empty");
    Part part{static_cast<char*>(p.memory),
              static_cast<std::size_t>(p.count) * size_of(asked->element),
              p.root,
              {}};
    const Reach reach(part.memory, part.bytes);
    const bool own = sends(group, part, network.rank);
    if (own) sent.insert(sent.end(), part.memory, part.memory + part.bytes);
    if (group.sum || !own) std::memset(part.memory, 0xff, part.bytes);
    part.meanwhile.assign(part.memory, part.memory + part.bytes);
    group.parts.push_back(std::move(part));
  }
  network.groups.push_back(std::move(group));
  leave(file_of(++network.begun, network.rank), sent);
  return network.begun;
}

/// Brings the oldest group's parts. False: a rank whose part is needed has not sent it.
bool complete(const Group& group, std::int64_t number) {
  std::vector<Bytes> sent(static_cast<std::size_t>(network.ranks));
  for (int r = 0; r < network.ranks; ++r) {
    bool needed = false;
    for (const auto& part : group.parts)
      needed = needed || (group.sum ? part.root == network.rank : part.root == r);
    if (!needed) continue;
    if (!fs::exists(file_of(number, r))) return false;
    sent[static_cast<std::size_t>(r)] = read(file_of(number, r));
  }
  std::vector<std::size_t> at(sent.size());
  for (const auto& part : group.parts) {
    const Reach reach(part.memory, part.bytes);
    if (std::memcmp(part.memory, part.meanwhile.data(), part.bytes) != 0)
      cuda_on_host::stop("memory was written while a collective was under way in it");
    bool first = true;
    for (std::size_t r = 0; r < sent.size(); ++r) {
      if (!sends(group, part, static_cast<int>(r)) || sent[r].empty()) continue;
      const char* from = sent[r].data() + at[r];
      at[r] += part.bytes;
      if (group.sum && part.root != network.rank) continue;
      if (std::exchange(first, false))
        std::memcpy(part.memory, from, part.bytes);
      else if (group.element == DeviceElement::Float)
        add<float>(from, part.bytes, part.memory);
      else
        add<std::int64_t>(from, part.bytes, part.memory);
    }
  }
  return true;
}

/// AHA_PRETENDED_FAULT: the number of a group that fails.
bool fails(std::int64_t number) {
  const char* said = std::getenv("AHA_PRETENDED_FAULT");
  return said != nullptr && std::atoll(said) == number;
}

bool done(std::int64_t number) {
  cuda_on_host::finish(cuda_on_host::asked);
  for (; network.done < number; ++network.done) {
    if (fails(network.done + 1))
      throw DeviceError("the network of GPUs: NCCL says remote process exited (pretended)");
    if (!complete(network.groups.front(), network.done + 1)) return false;
    network.groups.pop_front();
  }
  return true;
}

void abandon() {
  network.abandoned = true;
  network.groups.clear();
}

}  // namespace

const DeviceNetwork kNetwork{open, make_id, join, ready, begin, done, abandon};

}  // namespace aha::cuda
