#include "cms_samples.h"

namespace callseal::test {
namespace {

void check_sound(const ReadMessage& message, const Bytes& content) {
  CHECK(message.content == content);
  CHECK(message.tag == kTag);
  CHECK(message.header.nonce == kNonce);
  CHECK_EQ(message.header.recipients.size(), size_t{1});
  const CmsRecipient& recipient = message.header.recipients[0];
  CHECK_EQ(recipient.name, "serial 05, issuer CN=a");
  CHECK_EQ(recipient.problem, "");
  CHECK(recipient.wrapped_key == Bytes(256, 7));
  CHECK(recipient.issuer_and_serial == sample_issuer_and_serial());
}

void check_refused(const Bytes& message, Code code, const std::string& why) {
  for (size_t piece : {SIZE_MAX, size_t{1}}) {
    CHECK_CONTAINS(std::string(CHECK_THROWS_CODE(read_message(message, piece), code).what()), why);
  }
  CHECK(take_openssl_errors().empty());
}

TEST(cms_reader_reads_what_the_writer_writes) {
  for (size_t size : {0, 1, 127, 128, 255, 256, 65535, 65536, 200000}) {
    const Bytes content = sample_bytes(size);
    CmsTag tag{};
    std::copy(kTag.begin(), kTag.end(), tag.begin());
    const Bytes message = cms_opening({sample_recipient()}, kNonce, size) + content + cms_closing(tag);
    check_sound(read_message(message), content);
    check_sound(read_message(message, 7, 11), content);
  }
}

TEST(cms_reader_takes_definite_and_indefinite_lengths) {
  const Bytes content = sample_bytes(100);
  check_sound(read_message(Parts{}.message(true)), content);
  check_sound(read_message(Parts{}.message(false), 1, 1), content);
}

TEST(cms_reader_joins_pieces_of_content) {
  const Bytes a = sample_bytes(3000, 1), b = sample_bytes(500, 2);
  Parts parts;
  for (auto wrap : {tlv, open_ended}) {
    parts.content = wrap(0xA0, tlv(0x04, a) + tlv(0x04, {}) + tlv(0x04, b));
    check_sound(read_message(parts.message()), a + b);
    parts.content = wrap(0xA0, wrap(0x24, tlv(0x04, a) + wrap(0x24, tlv(0x04, b))) + wrap(0x24, {}));
    check_sound(read_message(parts.message(false), 13, 17), a + b);
    parts.content = wrap(0xA0, {});
    check_sound(read_message(parts.message()), {});
  }
}

TEST(cms_reader_bounds_nesting_and_empty_pieces) {
  Parts parts;
  Bytes nested = tlv(0x04, {1});
  for (int i = 0; i < 5; ++i) nested = open_ended(0x24, nested);
  parts.content = open_ended(0xA0, nested);
  check_refused(parts.message(), Code::kTampered, "no content");
  Bytes empty;
  for (int i = 0; i < 1025; ++i) empty = empty + tlv(0x04, {});
  parts.content = open_ended(0xA0, empty);
  check_refused(parts.message(), Code::kTampered, "empty pieces");
  Bytes deep = sample_recipient();
  for (int i = 0; i < 20; ++i) deep = open_ended(0x30, deep);
  parts = {};
  parts.recipients = tlv(0x31, deep);
  check_refused(parts.message(), Code::kTampered, "nest too deep");
}

TEST(cms_reader_notices_every_cut) {
  for (bool definite : {true, false}) {
    const Bytes whole = Parts{}.message(definite);
    for (size_t length = 1; length < whole.size(); ++length) {
      const ByteView cut(whole.data(), length);
      CHECK_THROWS_CODE(read_message(cut), Code::kTruncated);
    }
  }
}

TEST(cms_reader_refuses_what_breaks_the_rules) {
  Parts parts;
  check_refused(parts.message() + Bytes{0}, Code::kTampered, "without a beginning");
  check_refused(parts.message() + parts.message(), Code::kTampered, "behind the message");
  parts.tag = tlv(0x04, Bytes(12));
  check_refused(parts.message(), Code::kTampered, "the tag is missing");
  parts = {};
  parts.tag = {};
  check_refused(parts.message(), Code::kTampered, "the tag is missing");
  parts = {};
  parts.after_tag = tlv(0x04, {});
  check_refused(parts.message(), Code::kTampered, "behind the tag");
  parts = {};
  parts.after_content = tlv(0x04, {});
  check_refused(parts.message(), Code::kTampered, "no CMS message");
  parts = {};
  parts.recipients = tlv(0x31, {});
  check_refused(parts.message(), Code::kTampered, "without recipients");
  parts.recipients = tlv(0x31, tlv(0x30, {}));
  check_refused(parts.message(), Code::kTampered, "cannot be decoded");
  // A key identifier goes with version 2 (RFC 5652 section 6.2.1).
  Bytes recipient = sample_recipient();
  recipient[6] = 2;
  parts.recipients = tlv(0x31, recipient);
  check_refused(parts.message(), Code::kTampered, "cannot be decoded");
}

TEST(cms_reader_refuses_impossible_lengths) {
  for (const Bytes& length : std::vector<Bytes>{{0xFF}, {0x89, 1, 1, 1, 1, 1, 1, 1, 1, 1}}) {
    check_refused(Bytes{0x30} + length, Code::kNotCms, "no CMS message");
  }
  // A length of 2^64 − 1, and one beyond what holds it.
  Parts parts;
  parts.content = Bytes{0x80, 0x88} + Bytes(8, 0xFF);
  check_refused(parts.message(), Code::kTampered, "longer than what holds it");
  check_refused(parts.message(false), Code::kTampered, "longer than what holds it");
  parts.content = Bytes{0x80, 0x88, 0x7F} + Bytes(7, 0xFF);
  check_refused(parts.message(false), Code::kTampered, "more content than AES-GCM allows");
  parts.content = Bytes{0x80, 0x82, 0xFF, 0xFF};
  check_refused(parts.message(), Code::kTampered, "longer than what holds it");
  // Exactly what GCM allows is merely not there.
  parts.content = Bytes{0x80, 0x85, 0x0F, 0xFF, 0xFF, 0xFF, 0xE0};
  CHECK_THROWS_CODE(read_message(parts.message(false)), Code::kTruncated);
  parts.content = open_ended(0xA0, Bytes{0x04, 0x85, 0x0F, 0xFF, 0xFF, 0xFF, 0xE1});
  check_refused(parts.message(false), Code::kTampered, "more content than AES-GCM allows");
}

TEST(cms_reader_bounds_the_header) {
  Parts parts;
  Bytes many;
  for (size_t i = 0; i <= kMaxCmsRecipients; ++i) many = many + tlv(0xA1, {});
  parts.recipients = open_ended(0x31, many);
  check_refused(parts.message(false), Code::kTampered, "more than 4096 recipients");
  parts.recipients = Bytes{0x31, 0x84, 0x7F, 0xFF, 0xFF, 0xFF, 0x30, 0x84, 0x7F, 0xFF, 0xFF, 0x00};
  check_refused(parts.message(false), Code::kTampered, "longer than any");
}

TEST(cms_reader_says_what_else_a_message_is) {
  Parts parts;
  parts.type = {0x06, 9, 0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 1, 7, 3};
  check_refused(parts.message(), Code::kNotCms, "-aes-256-gcm");
  parts = {};
  parts.version = {0x02, 1, 1};
  check_refused(parts.message(), Code::kNotCms, "unknown version");
  parts = {};
  parts.originator = tlv(0xA0, {});
  check_refused(parts.message(), Code::kNotCms, "originatorInfo");
  parts = {};
  parts.attributes = tlv(0xA1, {});
  check_refused(parts.message(), Code::kNotCms, "authenticated attributes");
  parts = {};
  parts.after_tag = tlv(0xA2, {});
  check_refused(parts.message(), Code::kNotCms, "unauthenticated attributes");
  parts = {};
  parts.content = {};
  check_refused(parts.message(), Code::kNotCms, "detached");
  parts = {};
  parts.content_type = kAuthEnvelopedData;
  check_refused(parts.message(), Code::kNotCms, "not plain data");
  parts = {};
  parts.recipients = tlv(0x31, tlv(0xA3, {}));
  check_refused(parts.message(), Code::kNotCms, "password");
}

TEST(cms_reader_passes_over_recipients_of_other_kinds) {
  Parts parts;
  parts.recipients = tlv(0x31, tlv(0xA1, {1}) + sample_recipient() + tlv(0xA2, {}));
  const ReadMessage message = read_message(parts.message());
  CHECK_EQ(message.header.recipients.size(), size_t{3});
  CHECK_CONTAINS(message.header.recipients[0].problem, "key agreement");
  CHECK_EQ(message.header.recipients[1].problem, "");
}

TEST(cms_reader_wants_a_nonce_of_12_and_a_tag_of_16) {
  const Bytes gcm = {0x06, 9, 0x60, 0x86, 0x48, 1, 0x65, 3, 4, 1, 46};
  auto refused = [&](const Bytes& parameters, Code code, const std::string& why) {
    Parts parts;
    parts.algorithm = tlv(0x30, gcm + parameters);
    check_refused(parts.message(), code, why);
  };
  refused(tlv(0x30, tlv(0x04, Bytes(12))), Code::kNotCms, "a tag of 12");  // the default of RFC 5084
  refused(tlv(0x30, tlv(0x04, Bytes(12)) + Bytes{0x02, 1, 12}), Code::kNotCms, "a tag of 12");
  refused(tlv(0x30, tlv(0x04, Bytes(16)) + Bytes{0x02, 1, 16}), Code::kNotCms, "a nonce of 16");
  refused(tlv(0x30, tlv(0x04, {}) + Bytes{0x02, 1, 16}), Code::kNotCms, "a nonce of 0");
  refused({}, Code::kTampered, "parameters");
  refused({0x05, 0}, Code::kTampered, "parameters");
}

TEST(cms_writer_sorts_recipients_and_bounds_the_content) {
  const Bytes low = sample_recipient(Bytes(256, 1)), high = sample_recipient(Bytes(256, 2));
  CHECK(cms_opening({high, low}, kNonce, 5) == cms_opening({low, high}, kNonce, 5));
  CHECK(!cms_opening({low}, kNonce, kMaxGcmBytes).empty());
  CHECK_THROWS_CODE(cms_opening({low}, kNonce, kMaxGcmBytes + 1), Code::kInvalidArgument);
  CHECK_THROWS_CODE(encode_recipient_info(Bytes{0x30, 0}, Bytes(256)), Code::kInvalidArgument);
}

}  // namespace
}  // namespace callseal::test
