#include "der_tree.h"

namespace callseal::fuzz {
namespace {

constexpr uint8_t kConstructed = 0x20;
constexpr uint8_t kBits = 0x03;
constexpr uint8_t kOctets = 0x04;
constexpr int kMaxDepth = 24;

struct Header {
  uint8_t identifier;
  bool indefinite;
  size_t length;
  size_t size;
};

std::optional<Header> parse_header(ByteView bytes) {
  if (bytes.size() < 2 || (bytes.data()[0] & 0x1F) == 0x1F) return std::nullopt;
  const uint8_t first = bytes.data()[1];
  if (first == 0x80) return Header{bytes.data()[0], true, 0, 2};
  const size_t octets = first < 0x80 ? 0 : first & 0x7F;
  if (octets > 4 || bytes.size() < 2 + octets) return std::nullopt;
  size_t length = octets == 0 ? first : 0;
  for (size_t i = 0; i < octets; ++i) length = length << 8 | bytes.data()[2 + i];
  if (length > bytes.size() - 2 - octets) return std::nullopt;
  return Header{bytes.data()[0], false, length, 2 + octets};
}

// Elements up to the end of `rest`, or, in one of indefinite length, to its end-of-contents, which is taken too.
std::optional<std::vector<DerNode>> parse_elements(ByteView& rest, bool indefinite, int depth);

void adopt_children(DerNode& node, ByteView content, int depth) {
  const bool bits = node.identifier == kBits;
  const bool may = (node.identifier & kConstructed) != 0 || node.identifier == kOctets ||
                   (bits && !content.empty() && content.data()[0] == 0);
  ByteView inner = bits && may ? content.subview(1, content.size() - 1) : content;
  std::optional<std::vector<DerNode>> children;
  if (may && inner.size() >= 2) children = parse_der(inner, depth + 1);
  if (!children.has_value()) {
    node.content = content.copy();
    return;
  }
  if (bits) node.content = {0};
  node.children = std::move(*children);
}

std::optional<DerNode> parse_element(ByteView& rest, int depth) {
  const std::optional<Header> header = parse_header(rest);
  if (!header.has_value() || depth > kMaxDepth) return std::nullopt;
  rest = rest.subview(header->size, rest.size() - header->size);
  DerNode node;
  node.identifier = header->identifier;
  if (header->indefinite) {
    if ((node.identifier & kConstructed) == 0) return std::nullopt;
    std::optional<std::vector<DerNode>> children = parse_elements(rest, true, depth + 1);
    if (!children.has_value()) return std::nullopt;
    node.length = DerNode::Length::kIndefinite;
    node.children = std::move(*children);
    return node;
  }
  adopt_children(node, rest.subview(0, header->length), depth);
  rest = rest.subview(header->length, rest.size() - header->length);
  return node;
}

std::optional<std::vector<DerNode>> parse_elements(ByteView& rest, bool indefinite, int depth) {
  std::vector<DerNode> nodes;
  while (!rest.empty()) {
    if (indefinite && rest.size() >= 2 && rest.data()[0] == 0 && rest.data()[1] == 0) {
      rest = rest.subview(2, rest.size() - 2);
      return nodes;
    }
    std::optional<DerNode> node = parse_element(rest, depth);
    if (!node.has_value()) return std::nullopt;
    nodes.push_back(std::move(*node));
  }
  if (indefinite) return std::nullopt;
  return nodes;
}

void write_length(Bytes& out, uint64_t length, size_t least_octets) {
  if (length < 0x80 && least_octets == 0) {
    out.push_back(static_cast<uint8_t>(length));
    return;
  }
  size_t octets = least_octets;
  while (octets < 8 && length >> (8 * octets) != 0) ++octets;
  out.push_back(static_cast<uint8_t>(0x80 | octets));
  while (octets > 0) out.push_back(static_cast<uint8_t>(length >> (8 * --octets)));
}

void write_node(Bytes& out, const DerNode& node) {
  Bytes content = node.content;
  append(content, write_der(node.children));
  out.push_back(node.identifier);
  switch (node.length) {
    case DerNode::Length::kIndefinite:
      out.push_back(0x80);
      append(content, Bytes{0, 0});
      break;
    case DerNode::Length::kShortest:
      write_length(out, content.size(), 0);
      break;
    case DerNode::Length::kLonger:
      write_length(out, content.size(), 4);
      break;
    case DerNode::Length::kLie:
      write_length(out, node.lie, 0);
      break;
  }
  append(out, content);
}

}  // namespace

std::optional<std::vector<DerNode>> parse_der(ByteView bytes, int depth) {
  return parse_elements(bytes, false, depth);
}

Bytes write_der(const std::vector<DerNode>& nodes) {
  Bytes out;
  for (const DerNode& node : nodes) write_node(out, node);
  return out;
}

}  // namespace callseal::fuzz
