#include "der_mutator.h"

#include <algorithm>
#include <random>

#include "der_tree.h"

namespace callseal::fuzz {
namespace {

using Random = std::minstd_rand;

constexpr uint8_t kConstructed = 0x20;
constexpr uint8_t kOctets = 0x04;
// What ASN.1 of certificates, keys and messages is made of.
constexpr uint8_t kIdentifiers[] = {0x00, 0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x0A, 0x0C, 0x13, 0x17, 0x18, 0x24,
                                    0x30, 0x31, 0x80, 0x81, 0x82, 0x83, 0xA0, 0xA1, 0xA2, 0xA3, 0xA4, 0xBF};

size_t below(Random& random, size_t limit) {
  return std::uniform_int_distribution<size_t>(0, limit - 1)(random);
}

// Where an element is.
struct Place {
  std::vector<DerNode>* siblings;
  size_t index;
  DerNode& node() const { return (*siblings)[index]; }
};

void collect(std::vector<DerNode>& nodes, std::vector<Place>& places) {
  for (size_t i = 0; i < nodes.size(); ++i) {
    places.push_back({&nodes, i});
    collect(nodes[i].children, places);
  }
}

Place pick(std::vector<DerNode>& tree, Random& random) {
  std::vector<Place> places;
  collect(tree, places);
  return places[below(random, places.size())];
}

void change_content(DerNode& node, Random& random) {
  if (!node.children.empty()) {
    std::shuffle(node.children.begin(), node.children.end(), random);
    return;
  }
  const size_t size = node.content.size();
  node.content.resize(size + 16);
  node.content.resize(LLVMFuzzerMutate(node.content.data(), size, node.content.size()));
}

// Octets in several pieces, as BER allows.
void split(DerNode& node, Random& random) {
  if (!node.children.empty()) return;
  DerNode whole{static_cast<uint8_t>(node.identifier | kConstructed), DerNode::Length::kIndefinite, 0, {}, {}};
  auto from = node.content.begin();
  do {
    const size_t left = static_cast<size_t>(node.content.end() - from);
    const auto to = from + static_cast<ptrdiff_t>(below(random, left + 1));
    whole.children.push_back({kOctets, DerNode::Length::kShortest, 0, Bytes(from, to), {}});
    from = to;
  } while (from != node.content.end() && whole.children.size() < 8);
  node = std::move(whole);
}

void change_length(DerNode& node, Random& random) {
  static constexpr uint64_t kLies[] = {0, 1, 0x7F, 0x80, 0xFFFF, 0x7FFFFFFF, 0xFFFFFFFF, UINT64_MAX};
  node.length = static_cast<DerNode::Length>(below(random, 4));
  if (node.length == DerNode::Length::kIndefinite) node.identifier |= kConstructed;
  node.lie =
      below(random, 2) == 0 ? kLies[below(random, std::size(kLies))] : node.content.size() + below(random, 5) - 2;
}

void wrap(DerNode& node, Random& random) {
  for (size_t levels = 1 + below(random, 20); levels > 0; --levels) {
    DerNode around{node.identifier, DerNode::Length::kShortest, 0, {}, {std::move(node)}};
    around.identifier |= kConstructed;
    node = std::move(around);
  }
}

void mutate(std::vector<DerNode>& tree, Random& random) {
  const Place place = pick(tree, random);
  const auto at = place.siblings->begin() + static_cast<ptrdiff_t>(place.index);
  switch (below(random, 9)) {
    case 0:
      place.siblings->erase(at);
      break;
    case 1:
      place.siblings->insert(at, DerNode(place.node()));
      break;
    case 2:  // copied first, as either may hold the other
      place.node() = DerNode(pick(tree, random).node());
      break;
    case 3:
      place.node().identifier = kIdentifiers[below(random, std::size(kIdentifiers))];
      break;
    case 4:
      change_length(place.node(), random);
      break;
    case 5:
      split(place.node(), random);
      break;
    case 6:
      if (below(random, 8) == 0) wrap(place.node(), random);
      break;
    default:
      change_content(place.node(), random);
  }
}

size_t give(const Bytes& result, uint8_t* out, size_t max_size) {
  if (result.size() > max_size) return 0;
  std::copy(result.begin(), result.end(), out);
  return result.size();
}

}  // namespace

size_t mutate_der(uint8_t* data, size_t size, size_t max_size, unsigned seed) {
  Random random(seed);
  std::optional<std::vector<DerNode>> tree = parse_der(ByteView(data, size));
  if (!tree.has_value() || tree->empty() || below(random, 2) == 0) return LLVMFuzzerMutate(data, size, max_size);
  for (size_t steps = 1 + below(random, 3); steps > 0 && !tree->empty(); --steps) mutate(*tree, random);
  const size_t result = give(write_der(*tree), data, max_size);
  return result > 0 ? result : LLVMFuzzerMutate(data, size, max_size);
}

size_t cross_der(const uint8_t* data1, size_t size1, const uint8_t* data2, size_t size2, uint8_t* out, size_t max_size,
                 unsigned seed) {
  Random random(seed);
  std::optional<std::vector<DerNode>> into = parse_der(ByteView(data1, size1));
  std::optional<std::vector<DerNode>> from = parse_der(ByteView(data2, size2));
  if (!into.has_value() || into->empty() || !from.has_value() || from->empty()) return 0;
  pick(*into, random).node() = pick(*from, random).node();
  return give(write_der(*into), out, max_size);
}

}  // namespace callseal::fuzz
