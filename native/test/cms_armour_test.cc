#include "cms_samples.h"

namespace callseal::test {
namespace {

class TextSink : public ByteSink {
 public:
  void write(ByteView bytes) override { text_.insert(text_.end(), bytes.begin(), bytes.end()); }
  const Bytes& text() const { return text_; }

 private:
  Bytes text_;
};

Bytes armoured(const Bytes& message, size_t piece) {
  TextSink sink;
  PemSink pem(sink);
  for (size_t at = 0; at < message.size(); at += piece) {
    pem.write(ByteView(message).subview(at, std::min(piece, message.size() - at)));
  }
  pem.finish();
  return sink.text();
}

Bytes bytes_of(std::string_view text) {
  return Bytes(text.begin(), text.end());
}

// PEM text with one thing replaced by another.
Bytes with(const Bytes& text, std::string_view from, std::string_view to) {
  std::string changed(text.begin(), text.end());
  changed.replace(changed.find(from), from.size(), to);
  return bytes_of(changed);
}

TEST(cms_armour_comes_off_as_it_was_put_on) {
  Parts parts;
  for (size_t size : {0, 1, 47, 48, 49, 100000}) {
    parts.content = open_ended(0xA0, tlv(0x04, sample_bytes(std::min<size_t>(size, 60000))));
    const Bytes message = parts.message(false);
    for (size_t piece : {size_t{1}, size_t{50}, message.size()}) {
      const Bytes text = armoured(message, piece);
      CHECK(read_message(text).content == read_message(message).content);
      CHECK(read_message(text, 3, 5).content == read_message(message).content);
    }
  }
}

TEST(cms_armour_is_the_pem_of_everybody_else) {
  const Bytes text = armoured(Parts{}.message(), 10);
  const std::string lines(text.begin(), text.end());
  CHECK_CONTAINS(lines, "-----BEGIN CMS-----\n");
  CHECK_CONTAINS(lines, "\n-----END CMS-----\n");
  for (size_t at = 0, end; at < lines.size(); at = end + 1) {
    end = lines.find('\n', at);
    CHECK(end - at <= 64);
  }
}

TEST(cms_armour_takes_line_ends_and_labels_of_other_writers) {
  const Bytes text = armoured(Parts{}.message(), 1000);
  std::string crlf;
  for (uint8_t byte : text) crlf += byte == '\n' ? "\r\n" : std::string(1, static_cast<char>(byte));
  for (const Bytes& variant :
       {bytes_of(crlf), bytes_of("\n \n") + text, text + bytes_of("\n\n"), Bytes(text.begin(), text.end() - 1),
        with(with(text, "BEGIN CMS", "BEGIN PKCS7"), "END CMS", "END PKCS7")}) {
    CHECK(read_message(variant).tag == kTag);
    CHECK(read_message(variant, 1, 1).tag == kTag);
  }
}

TEST(cms_armour_refuses_damage) {
  const Bytes text = armoured(Parts{}.message(), 1000);
  for (const Bytes& damaged :
       {text + bytes_of("x"), with(text, "END CMS", "END XYZ"), with(text, "\n-----END", "=\n-----END")}) {
    CHECK_THROWS_CODE(read_message(damaged), Code::kTampered);
    CHECK_THROWS_CODE(read_message(damaged, 1, 1), Code::kTampered);
  }
  CHECK(take_openssl_errors().empty());
  for (size_t length = 6; length + 1 < text.size(); ++length) {
    CHECK_THROWS_CODE(read_message(ByteView(text.data(), length)), Code::kTruncated);
  }
}

TEST(cms_armour_says_what_a_file_is_instead) {
  auto why = [](std::string_view text) {
    return std::string(CHECK_THROWS_CODE(read_message(ByteView::of(text)), Code::kNotCms).what());
  };
  CHECK_CONTAINS(why(""), "empty");
  CHECK_CONTAINS(why("CALLSEAL\1"), "Callseal file");
  CHECK_CONTAINS(why("MIME-Version: 1.0\r\nContent-Type: application/pkcs7-mime\r\n"), "S/MIME");
  CHECK_CONTAINS(why("-----BEGIN CERTIFICATE-----\n"), "PEM text");
  CHECK_CONTAINS(why("hello"), "no CMS message");
}

}  // namespace
}  // namespace callseal::test
