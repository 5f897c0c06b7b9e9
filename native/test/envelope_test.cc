#include "envelope.h"

#include <set>

#include "error.h"
#include "scratch.h"
#include "test.h"

namespace callseal::test {
namespace {

const std::vector<PrivateKey>& keys() {
  static const std::vector<PrivateKey> keys = [] {
    std::vector<PrivateKey> made;
    made.push_back(PrivateKey::generate(2048));
    made.push_back(PrivateKey::generate(3072));
    return made;
  }();
  return keys;
}

constexpr size_t kFirstHole = 40;
constexpr size_t kSecondHole = kFirstHole + 256 + 10;
constexpr size_t kEnd = kSecondHole + 384 + 20;

// Two recipients in 710 bytes, which are 0xEE wherever no wrapped key goes.
EnvelopeTemplate sample_form() {
  EnvelopeTemplate form;
  form.recipients = Bytes(kEnd, 0xEE);
  form.wraps = {{keys()[0].public_key(), kFirstHole}, {keys()[1].public_key(), kSecondHole}};
  form.body_label = {'b'};
  form.mac_label = {'m'};
  return form;
}

EnvelopeTemplate form_with(std::vector<size_t> offsets, size_t length) {
  EnvelopeTemplate form = sample_form();
  form.recipients = Bytes(length);
  form.wraps.clear();
  for (size_t offset : offsets) form.wraps.push_back({keys()[0].public_key(), offset});
  return form;
}

SecretKey open_hole(const Envelope& envelope, size_t prelude_length, size_t which) {
  const size_t offset = prelude_length + (which == 0 ? kFirstHole : kSecondHole);
  return keys()[which].unwrap(ByteView(envelope.header).subview(offset, keys()[which].public_key()->modulus_bytes()));
}

TEST(envelope_template_needs_holes_that_fit) {
  sample_form().validate();
  form_with({0}, 256).validate();
  form_with({1, 257}, 513).validate();
  struct Bad {
    std::vector<size_t> offsets;
    size_t length;
  };
  for (const Bad& bad : std::vector<Bad>{{{}, 256},
                                         {{0}, 0},
                                         {{0}, 255},
                                         {{1}, 256},
                                         {{256}, 256},
                                         {{257}, 256},
                                         {{SIZE_MAX}, 256},
                                         {{SIZE_MAX - 255}, 256},
                                         {{0, 0}, 512},
                                         {{0, 255}, 600},
                                         {{256, 0}, 512}}) {
    CHECK_THROWS_CODE(form_with(bad.offsets, bad.length).validate(), Code::kInvalidArgument);
  }
}

TEST(envelope_opens_for_every_recipient) {
  EnvelopeTemplate form = sample_form();
  Bytes prelude = sample_bytes(48);
  Envelope envelope = make_envelope(form, prelude);
  CHECK_EQ(envelope.header.size(), 48 + kEnd + 32);
  for (size_t which : {0, 1}) {
    SecretKey content = open_hole(envelope, 48, which);
    SecretKey body = content.derive(KeyUse::kFloe, form.body_label, prelude);
    CHECK(body.bytes_for(KeyUse::kFloe).copy() == envelope.body_key.bytes_for(KeyUse::kFloe).copy());
    ByteView header(envelope.header);
    SecretKey mac = content.derive(KeyUse::kMac, form.mac_label, prelude);
    CHECK(mac.verify_mac(header.subview(0, 48 + kEnd), header.subview(48 + kEnd, 32)));
  }
}

// One answer, whether the wrapped key or the MAC is wrong.
void check_refused(const PrivateKey& key, const SealedEnvelope& sealed) {
  Error error = CHECK_THROWS_CODE(open_envelope(key, sealed), Code::kTampered);
  CHECK_EQ(std::string(error.what()), "the header fails authentication");
  CHECK(error.causes().empty());
}

TEST(envelope_is_opened_whole_or_not) {
  EnvelopeTemplate form = sample_form();
  Bytes prelude = sample_bytes(48);
  Envelope envelope = make_envelope(form, prelude);
  ByteView header(envelope.header);
  const SealedEnvelope sealed{
      header.subview(48 + kFirstHole, 256).copy(), prelude,         header.subview(0, 48 + kEnd).copy(),
      header.subview(48 + kEnd, 32).copy(),        form.body_label, form.mac_label};
  SecretKey body = open_envelope(keys()[0], sealed);
  CHECK(body.bytes_for(KeyUse::kFloe).copy() == envelope.body_key.bytes_for(KeyUse::kFloe).copy());

  Bytes SealedEnvelope::*const parts[] = {&SealedEnvelope::wrapped_key, &SealedEnvelope::prelude,
                                          &SealedEnvelope::authenticated, &SealedEnvelope::mac,
                                          &SealedEnvelope::mac_label};
  for (auto part : parts) {
    SealedEnvelope changed = sealed;
    (changed.*part).back() ^= 1;
    check_refused(keys()[0], changed);
    (changed.*part).clear();
    check_refused(keys()[0], changed);
  }
  check_refused(keys()[1], sealed);
}

TEST(envelope_changes_nothing_but_the_holes) {
  EnvelopeTemplate form = sample_form();
  Bytes prelude = sample_bytes(48);
  Envelope envelope = make_envelope(form, prelude);
  CHECK(std::equal(prelude.begin(), prelude.end(), envelope.header.begin()));
  for (size_t i = 0; i < kEnd; ++i) {
    const bool in_hole = (i >= kFirstHole && i < kFirstHole + 256) || (i >= kSecondHole && i < kSecondHole + 384);
    if (!in_hole) CHECK_EQ(int{envelope.header[48 + i]}, 0xEE);
  }
  CHECK(form.recipients == Bytes(kEnd, 0xEE));
}

TEST(envelope_has_a_fresh_content_key_every_time) {
  EnvelopeTemplate form = sample_form();
  Bytes prelude = sample_bytes(48);
  std::set<Bytes> body_keys;
  for (int i = 0; i < 20; ++i) body_keys.insert(make_envelope(form, prelude).body_key.bytes_for(KeyUse::kFloe).copy());
  CHECK_EQ(body_keys.size(), size_t{20});
}

TEST(envelope_keys_depend_on_labels_and_prelude) {
  SecretKey content(KeyUse::kContent, sample_bytes(32));
  std::set<Bytes> derived;
  for (const char* label : {"body", "recipients", "bod", ""}) {
    for (size_t length : {48, 47, 0}) {
      derived.insert(
          content.derive(KeyUse::kFloe, ByteView::of(label), sample_bytes(length)).bytes_for(KeyUse::kFloe).copy());
    }
  }
  CHECK_EQ(derived.size(), size_t{12});
}

TEST(envelope_is_not_made_for_a_key_that_may_not_be_used) {
  EnvelopeTemplate form = sample_form();
  auto weak = std::make_shared<const PublicKey>(PkeyPtr(EVP_PKEY_Q_keygen(nullptr, nullptr, "RSA", size_t{1024})));
  form.wraps[1].public_key = weak;
  form.validate();
  CHECK_THROWS_CODE(make_envelope(form, sample_bytes(48)), Code::kNotApproved);
}

}  // namespace
}  // namespace callseal::test
