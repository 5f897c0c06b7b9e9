#include "pem.h"

#include <openssl/evp.h>

#include <optional>

namespace callseal {
namespace {

constexpr std::string_view kBegin = "-----BEGIN ";
constexpr std::string_view kEnd = "-----END ";
constexpr std::string_view kDashes = "-----";

bool is_blank(char c) {
  return c == ' ' || c == '\t' || c == '\r';
}

std::string_view trim(std::string_view text) {
  while (!text.empty() && is_blank(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_blank(text.back())) text.remove_suffix(1);
  return text;
}

bool starts_with(std::string_view text, std::string_view prefix) {
  return text.substr(0, prefix.size()) == prefix;
}

// Lines that end in LF, CRLF or CR.
class Lines {
 public:
  explicit Lines(std::string_view text) : rest_(text) {}

  std::optional<std::string_view> next() {
    if (rest_.empty()) return std::nullopt;
    size_t end = rest_.find_first_of("\r\n");
    std::string_view line = rest_.substr(0, end);
    if (end == std::string_view::npos) {
      rest_ = {};
    } else {
      bool crlf = rest_[end] == '\r' && end + 1 < rest_.size() && rest_[end + 1] == '\n';
      rest_.remove_prefix(end + (crlf ? 2 : 1));
    }
    number_++;
    return trim(line);
  }
  size_t number() const { return number_; }

 private:
  std::string_view rest_;
  size_t number_ = 0;
};

// The label of a line `-----BEGIN label-----`, or none.
std::optional<std::string_view> label_of(std::string_view line, std::string_view opening) {
  if (!starts_with(line, opening) || line.size() < opening.size() + kDashes.size()) return std::nullopt;
  if (line.substr(line.size() - kDashes.size()) != kDashes) return std::nullopt;
  std::string_view label = line.substr(opening.size(), line.size() - opening.size() - kDashes.size());
  for (char c : label) {
    if (c < ' ' || c > '~') return std::nullopt;  // labels appear in messages
  }
  return label;
}

// Takes base64 characters one by one.
class Base64Decoder {
 public:
  explicit Base64Decoder(SecretBytes& out) : out_(out) {}

  // False when `text` is not base64 or goes on after the padding.
  bool add(std::string_view text) {
    for (char c : text) {
      if (is_blank(c)) continue;
      if (!add(c)) return false;
    }
    return true;
  }
  // True when the text ended where base64 may end.
  bool finished() const { return digits_ == 0; }

 private:
  static int value_of(char c) {
    if (c >= 'A' && c <= 'Z') return c - 'A';
    if (c >= 'a' && c <= 'z') return c - 'a' + 26;
    if (c >= '0' && c <= '9') return c - '0' + 52;
    if (c == '+') return 62;
    if (c == '/') return 63;
    return -1;
  }

  bool add(char c) {
    if (done_) return false;
    int value = value_of(c);
    if (c == '=') {
      if (digits_ < 2) return false;
      padding_++;
      value = 0;
    } else if (value < 0 || padding_ > 0) {
      return false;
    }
    bits_ = bits_ << 6 | static_cast<uint32_t>(value);
    if (++digits_ == 4) flush();
    return true;
  }

  void flush() {
    for (int i = 0; i < 3 - padding_; i++) out_.push_back(static_cast<uint8_t>(bits_ >> (16 - 8 * i)));
    done_ = padding_ > 0;
    bits_ = 0;
    digits_ = 0;
  }

  SecretBytes& out_;
  uint32_t bits_ = 0;
  int digits_ = 0;
  int padding_ = 0;
  bool done_ = false;
};

// RFC 1421 headers stand before the base64 and end with an empty line.
bool read_header(std::string_view line, PemBlock& block) {
  size_t colon = line.find(':');
  if (colon == std::string_view::npos) return false;
  if (line.substr(0, colon) == "DEK-Info") block.dek_info = trim(line.substr(colon + 1));
  return true;
}

// Reads from behind the BEGIN line up to the END line.
void read_body(Lines& lines, PemBlock& block) {
  Base64Decoder decoder(block.der);
  bool in_headers = true;
  while (std::optional<std::string_view> line = lines.next()) {
    if (std::optional<std::string_view> end = label_of(*line, kEnd)) {
      if (*end != block.label) block.damage = "ends as " + std::string(*end);
      if (block.damage.empty() && !decoder.finished()) block.damage = "ends in the middle of its base64";
      return;
    }
    in_headers = in_headers && (line->empty() || read_header(*line, block));
    if (in_headers || !block.damage.empty()) continue;
    if (!decoder.add(*line)) block.damage = "is not base64 at line " + std::to_string(lines.number());
  }
  block.damage = "has no END line";
}

}  // namespace

std::vector<PemBlock> read_pem(ByteView text) {
  std::string_view whole(reinterpret_cast<const char*>(text.data()), text.size());
  if (starts_with(whole, "\xEF\xBB\xBF")) whole.remove_prefix(3);
  std::vector<PemBlock> blocks;
  Lines lines(whole);
  while (std::optional<std::string_view> line = lines.next()) {
    std::optional<std::string_view> label = label_of(*line, kBegin);
    if (!label) continue;
    PemBlock block;
    block.label = *label;
    block.line = lines.number();
    read_body(lines, block);
    if (!block.damage.empty()) block.der.clear();
    blocks.push_back(std::move(block));
  }
  return blocks;
}

SecretBytes write_pem(std::string_view label, ByteView der) {
  constexpr size_t kBytesPerLine = 48;
  SecretBytes text;
  text.reserve(der.size() / 3 * 4 + der.size() / kBytesPerLine + 2 * label.size() + 64);
  auto append = [&text](std::string_view part) { text.insert(text.end(), part.begin(), part.end()); };
  append(std::string(kBegin).append(label).append(kDashes).append("\n"));
  SecretBytes line(kBytesPerLine / 3 * 4 + 1);
  for (size_t offset = 0; offset < der.size(); offset += kBytesPerLine) {
    size_t length = std::min(kBytesPerLine, der.size() - offset);
    int written = EVP_EncodeBlock(line.data(), der.data() + offset, static_cast<int>(length));
    text.insert(text.end(), line.begin(), line.begin() + written);
    text.push_back('\n');
  }
  append(std::string(kEnd).append(label).append(kDashes).append("\n"));
  return text;
}

}  // namespace callseal
