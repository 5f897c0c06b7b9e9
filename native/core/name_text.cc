#include "name_text.h"

#include <openssl/asn1.h>

#include <string_view>

#include "error.h"
#include "openssl_ptr.h"

namespace callseal {
namespace {

// RFC 2253 form, of which RFC 4514 is the UTF-8 successor. OpenSSL escapes ASCII controls itself.
constexpr unsigned long kUtf8Flags = XN_FLAG_RFC2253 & ~static_cast<unsigned long>(ASN1_STRFLGS_ESC_MSB);
// For strings that are not valid in their own encoding: every byte that is not ASCII escaped.
constexpr unsigned long kBytesFlags = XN_FLAG_RFC2253 & ~static_cast<unsigned long>(ASN1_STRFLGS_UTF8_CONVERT);

struct CodePoint {
  uint32_t value;
  size_t length;  // bytes of UTF-8; 0 when malformed
};

CodePoint decode_utf8(std::string_view text) {
  auto byte = [&](size_t i) { return static_cast<uint8_t>(text[i]); };
  uint8_t first = byte(0);
  size_t length = first < 0x80                    ? 1
                  : first >= 0xC2 && first < 0xE0 ? 2
                  : first >= 0xE0 && first < 0xF0 ? 3
                  : first >= 0xF0 && first < 0xF5 ? 4
                                                  : 0;
  if (length == 0 || length > text.size()) return {0, 0};
  uint32_t value = length == 1 ? first : first & (0x7Fu >> length);
  for (size_t i = 1; i < length; i++) {
    if ((byte(i) & 0xC0) != 0x80) return {0, 0};
    value = value << 6 | (byte(i) & 0x3F);
  }
  constexpr uint32_t kSmallest[] = {0, 0, 0x80, 0x800, 0x10000};
  bool surrogate = value >= 0xD800 && value < 0xE000;
  if (value < kSmallest[length] || value > 0x10FFFF || surrogate) return {0, 0};
  return {value, length};
}

bool is_treacherous(uint32_t c) {
  return c < 0x20 || (c >= 0x7F && c < 0xA0) ||                           // C0, DEL, C1
         c == 0x061C || c == 0x200E || c == 0x200F ||                     // direction marks
         (c >= 0x202A && c <= 0x202E) || (c >= 0x2066 && c <= 0x2069) ||  // embeddings, overrides, isolates
         c == 0x2028 || c == 0x2029 ||                                    // line and paragraph separators
         c == 0xFEFF;                                                     // invisible: byte-order mark
}

void append_escaped(std::string& out, std::string_view bytes) {
  static constexpr char kDigits[] = "0123456789ABCDEF";
  for (char c : bytes) {
    uint8_t byte = static_cast<uint8_t>(c);
    out += '\\';
    out += kDigits[byte >> 4];
    out += kDigits[byte & 15];
  }
}

std::string escape_treacherous(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    CodePoint point = decode_utf8(text);
    std::string_view bytes = text.substr(0, point.length == 0 ? 1 : point.length);
    if (point.length == 0 || is_treacherous(point.value)) {
      append_escaped(out, bytes);
    } else {
      out += bytes;
    }
    text.remove_prefix(bytes.size());
  }
  return out;
}

bool print(const X509_NAME* name, unsigned long flags, std::string& out) {
  BioPtr bio(BIO_new(BIO_s_mem()));
  require_openssl(bio != nullptr, "allocating memory for a name");
  if (X509_NAME_print_ex(bio.get(), name, 0, flags) < 0) return false;
  char* text = nullptr;
  long length = BIO_get_mem_data(bio.get(), &text);
  out.assign(text, static_cast<size_t>(length));
  return true;
}

}  // namespace

std::string name_text(const X509_NAME* name) {
  std::string text;
  if (!print(name, kUtf8Flags, text) && !print(name, kBytesFlags, text)) text = "unprintable name";
  return escape_treacherous(text);
}

}  // namespace callseal
