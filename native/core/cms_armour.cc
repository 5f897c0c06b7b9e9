#include "cms_armour.h"

#include <openssl/evp.h>

#include <string>

#include "error.h"
#include "openssl_ptr.h"

namespace callseal {
namespace {

using EncodeCtxPtr = OpensslPtr<EVP_ENCODE_CTX, EVP_ENCODE_CTX_free>;

constexpr uint8_t kSequence = 0x30;
constexpr size_t kRawBlock = size_t{48} << 10;
// What EVP_DecodeUpdate and EVP_EncodeUpdate hold back between calls, and more.
constexpr size_t kSlack = 256;
constexpr size_t kMaxLine = 256;
constexpr size_t kMaxBlankBytes = 4096;

bool is_space(uint8_t byte) {
  return byte == ' ' || byte == '\t' || byte == '\r' || byte == '\n';
}

bool begins_with(std::string_view text, std::string_view prefix) {
  return text.substr(0, prefix.size()) == prefix;
}

EncodeCtxPtr new_encode_context() {
  EncodeCtxPtr context(EVP_ENCODE_CTX_new());
  require_openssl(context != nullptr, "allocating a base64 context");
  return context;
}

// PEM without its armour: base64 up to the first dash, which begins the END line.
class PemSource : public ByteSource {
 public:
  PemSource(std::unique_ptr<ByteSource> raw, std::string label)
      : raw_(std::move(raw)),
        label_(std::move(label)),
        context_(new_encode_context()),
        text_(kRawBlock),
        bytes_(kRawBlock + kSlack) {
    EVP_DecodeInit(context_.get());
    skip_begin_line();
  }

  size_t read(uint8_t* out, size_t length) override {
    while (from_ == to_ && !ended_) decode_more();
    const size_t part = std::min(length, to_ - from_);
    std::copy_n(bytes_.data() + from_, part, out);
    from_ += part;
    return part;
  }

 private:
  bool fill() {
    if (text_from_ < text_to_) return true;
    text_from_ = 0;
    text_to_ = raw_->read(text_.data(), text_.size());
    return text_to_ > 0;
  }

  // The line that follows, without its end; blanks before it are passed over.
  std::string take_line() {
    std::string line;
    for (size_t blanks = 0; fill() && is_space(text_[text_from_]); ++text_from_) {
      if (++blanks > kMaxBlankBytes) throw Error(Code::kTampered, "too many blanks in the PEM text");
    }
    while (fill() && text_[text_from_] != '\n' && line.size() < kMaxLine)
      line += static_cast<char>(text_[text_from_++]);
    while (!line.empty() && is_space(static_cast<uint8_t>(line.back()))) line.pop_back();
    return line;
  }

  void skip_begin_line() {
    take_line();  // looked at by open_cms_armour
  }

  void decode_more() {
    from_ = to_ = 0;
    if (!fill()) throw Error(Code::kTruncated, "the PEM text has no END line");
    if (text_[text_from_] == '-') return finish();
    const uint8_t* begin = text_.data() + text_from_;
    const uint8_t* end = std::find<const uint8_t*>(begin, text_.data() + text_to_, static_cast<uint8_t>('-'));
    int written = 0;
    if (EVP_DecodeUpdate(context_.get(), bytes_.data(), &written, begin, static_cast<int>(end - begin)) < 0) damaged();
    to_ = static_cast<size_t>(written);
    text_from_ += static_cast<size_t>(end - begin);
  }

  void finish() {
    int written = 0;
    if (EVP_DecodeFinal(context_.get(), bytes_.data() + to_, &written) != 1) damaged();
    to_ += static_cast<size_t>(written);
    const std::string line = take_line();
    const std::string expected = "-----END " + label_ + "-----";
    if (line != expected) {
      const bool cut = expected.compare(0, line.size(), line) == 0;
      throw Error(cut ? Code::kTruncated : Code::kTampered, "the PEM text does not end with " + expected);
    }
    if (!take_line().empty()) throw Error(Code::kTampered, "something follows the PEM text");
    ended_ = true;
  }

  [[noreturn]] static void damaged() {
    take_openssl_errors();
    throw Error(Code::kTampered, "the PEM text is not base64");
  }

  std::unique_ptr<ByteSource> raw_;
  std::string label_;
  EncodeCtxPtr context_;
  Bytes text_;
  size_t text_from_ = 0;
  size_t text_to_ = 0;
  Bytes bytes_;
  size_t from_ = 0;
  size_t to_ = 0;
  bool ended_ = false;
};

[[noreturn]] void refuse_form(std::string_view text) {
  if (text.empty()) throw Error(Code::kNotCms, "it is empty");
  if (begins_with(text, "CALLSEAL")) {
    throw Error(Code::kNotCms, "it is a Callseal file, not a CMS message; open it with callseal decrypt");
  }
  if (text.find("MIME-Version:") != std::string_view::npos || text.find("Content-Type:") != std::string_view::npos) {
    throw Error(Code::kNotCms,
                "it is S/MIME mail; take the message out of it with "
                "`openssl cms -cmsout -inform SMIME -in MAIL -outform DER -out FILE`");
  }
  if (begins_with(text, "-----BEGIN ")) {
    throw Error(Code::kNotCms, "it is PEM text, but not of a CMS message (-----BEGIN CMS-----)");
  }
  throw Error(Code::kNotCms,
              "it is no CMS message; give the file that `openssl cms -encrypt -outform DER` or PEM has made");
}

}  // namespace

std::unique_ptr<ByteSource> open_cms_armour(ByteView start, std::unique_ptr<ByteSource> raw) {
  if (!start.empty() && *start.data() == kSequence) return raw;
  std::string_view text(reinterpret_cast<const char*>(start.data()), start.size());
  while (!text.empty() && is_space(static_cast<uint8_t>(text.front()))) text.remove_prefix(1);
  for (const char* label : {"CMS", "PKCS7"}) {
    const std::string begin = std::string("-----BEGIN ") + label + "-----";
    if (text.size() > begin.size() && begins_with(text, begin) && is_space(static_cast<uint8_t>(text[begin.size()]))) {
      return std::make_unique<PemSource>(std::move(raw), label);
    }
    // All there is may be a part of the line.
    if (text.size() > 5 && text.size() <= begin.size() && begins_with(begin, text)) {
      throw Error(Code::kTruncated, "the PEM text ends in its first line");
    }
  }
  refuse_form(text);
}

struct PemSink::Encoder {
  EncodeCtxPtr context = new_encode_context();
  Bytes text = Bytes(kRawBlock / 48 * 65 + kSlack);
};

PemSink::PemSink(ByteSink& out) : out_(out), encoder_(std::make_unique<Encoder>()) {
  EVP_EncodeInit(encoder_->context.get());
  out_.write(ByteView::of("-----BEGIN CMS-----\n"));
}

PemSink::~PemSink() = default;

void PemSink::write(ByteView bytes) {
  for (size_t done = 0; done < bytes.size();) {
    const size_t part = std::min(kRawBlock, bytes.size() - done);
    int written = 0;
    require_openssl(EVP_EncodeUpdate(encoder_->context.get(), encoder_->text.data(), &written, bytes.data() + done,
                                     static_cast<int>(part)) == 1,
                    "encoding base64");
    out_.write(ByteView(encoder_->text.data(), static_cast<size_t>(written)));
    done += part;
  }
}

void PemSink::finish() {
  int written = 0;
  EVP_EncodeFinal(encoder_->context.get(), encoder_->text.data(), &written);
  out_.write(ByteView(encoder_->text.data(), static_cast<size_t>(written)));
  out_.write(ByteView::of("-----END CMS-----\n"));
}

}  // namespace callseal
