#include "cms_asn1.h"

#include <openssl/asn1t.h>
#include <openssl/pkcs7.h>
#include <openssl/rsa.h>

#include "error.h"
#include "module.h"
#include "name_text.h"
#include "openssl_ptr.h"
#include "out_of_memory.h"
#include "quiet_errors.h"

namespace callseal {

// RFC 5652 section 6.2.1 and RFC 5084 section 3.2.
struct CmsRecipientId {
  int type;
  union {
    PKCS7_ISSUER_AND_SERIAL* issuer_and_serial;
    ASN1_OCTET_STRING* key_id;
  } d;
};

struct CmsKeyTransport {
  ASN1_INTEGER* version;
  CmsRecipientId* id;
  X509_ALGOR* algorithm;
  ASN1_OCTET_STRING* wrapped_key;
};

struct CmsGcmParameters {
  ASN1_OCTET_STRING* nonce;
  ASN1_INTEGER* tag_length;
};

namespace {

// clang-format off
ASN1_CHOICE(CmsRecipientId) = {
    ASN1_SIMPLE(CmsRecipientId, d.issuer_and_serial, PKCS7_ISSUER_AND_SERIAL),
    ASN1_IMP(CmsRecipientId, d.key_id, ASN1_OCTET_STRING, 0)
} static_ASN1_CHOICE_END(CmsRecipientId)

ASN1_SEQUENCE(CmsKeyTransport) = {
    ASN1_SIMPLE(CmsKeyTransport, version, ASN1_INTEGER),
    ASN1_SIMPLE(CmsKeyTransport, id, CmsRecipientId),
    ASN1_SIMPLE(CmsKeyTransport, algorithm, X509_ALGOR),
    ASN1_SIMPLE(CmsKeyTransport, wrapped_key, ASN1_OCTET_STRING)
} static_ASN1_SEQUENCE_END(CmsKeyTransport)

ASN1_SEQUENCE(CmsGcmParameters) = {
    ASN1_SIMPLE(CmsGcmParameters, nonce, ASN1_OCTET_STRING),
    ASN1_OPT(CmsGcmParameters, tag_length, ASN1_INTEGER)
} static_ASN1_SEQUENCE_END(CmsGcmParameters)
    // clang-format on

    constexpr int kIssuerAndSerial = 0;
constexpr int kKeyId = 1;

template <typename T, const ASN1_ITEM* (*Item)()>
struct Template {
  struct Free {
    void operator()(T* value) const { ASN1_item_free(reinterpret_cast<ASN1_VALUE*>(value), Item()); }
  };
  using Ptr = std::unique_ptr<T, Free>;

  static Ptr make() {
    Ptr value(reinterpret_cast<T*>(ASN1_item_new(Item())));
    require_openssl(value != nullptr, "allocating a part of a CMS message");
    return value;
  }
  // Null unless all of `der` is one.
  static Ptr decode(ByteView der) {
    const uint8_t* cursor = der.data();
    Ptr value(reinterpret_cast<T*>(ASN1_item_d2i(nullptr, &cursor, static_cast<long>(der.size()), Item())));
    return cursor == der.end() ? std::move(value) : nullptr;
  }
  static Bytes encode(const T* value) {
    uint8_t* der = nullptr;
    const int length = ASN1_item_i2d(reinterpret_cast<const ASN1_VALUE*>(value), &der, Item());
    require_openssl(length > 0, "encoding a part of a CMS message");
    Bytes bytes(der, der + length);
    OPENSSL_free(der);
    return bytes;
  }
};

using KeyTransport = Template<CmsKeyTransport, CmsKeyTransport_it>;
using GcmParameters = Template<CmsGcmParameters, CmsGcmParameters_it>;
using OaepParameters = Template<RSA_OAEP_PARAMS, RSA_OAEP_PARAMS_it>;
using Algorithm = Template<X509_ALGOR, X509_ALGOR_it>;
using IssuerAndSerial = Template<PKCS7_ISSUER_AND_SERIAL, PKCS7_ISSUER_AND_SERIAL_it>;

ByteView bytes_of(const ASN1_STRING* string) {
  return ByteView(ASN1_STRING_get0_data(string), static_cast<size_t>(ASN1_STRING_length(string)));
}

void set_bytes(ASN1_STRING* string, ByteView bytes) {
  require_openssl(ASN1_STRING_set(string, bytes.data(), static_cast<int>(bytes.size())) == 1, "copying bytes");
}

std::string hex_text(ByteView bytes) {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string text;
  for (uint8_t byte : bytes) {
    text += kDigits[byte >> 4];
    text += kDigits[byte & 15];
  }
  return text;
}

std::string text_of(const ASN1_OBJECT* object) {
  char text[128];
  const int nid = OBJ_obj2nid(object);
  if (nid != NID_undef) return OBJ_nid2sn(nid);
  return OBJ_obj2txt(text, sizeof text, object, 1) > 0 ? text : "unknown";
}

int nid_of(const X509_ALGOR* algorithm) {
  return OBJ_obj2nid(algorithm->algorithm);
}

// The DER of an algorithm's parameters when they are a SEQUENCE; empty otherwise.
ByteView sequence_parameters(const X509_ALGOR* algorithm) {
  const ASN1_TYPE* parameters = algorithm->parameter;
  if (parameters == nullptr || parameters->type != V_ASN1_SEQUENCE) return {};
  return bytes_of(parameters->value.sequence);
}

// Makes `out` an algorithm; no parameters when `parameters` is empty.
void set_algorithm(X509_ALGOR* out, int nid, ByteView parameters) {
  ASN1_STRING* sequence = nullptr;
  if (!parameters.empty()) {
    sequence = ASN1_STRING_type_new(V_ASN1_SEQUENCE);
    require_openssl(sequence != nullptr, "allocating an algorithm's parameters");
    set_bytes(sequence, parameters);
  }
  const int type = sequence != nullptr ? V_ASN1_SEQUENCE : V_ASN1_UNDEF;
  require_openssl(X509_ALGOR_set0(out, OBJ_nid2obj(nid), type, sequence) == 1, "setting an algorithm");
}

bool is_sha256(const X509_ALGOR* hash) {
  if (hash == nullptr || nid_of(hash) != NID_sha256) return false;
  // RFC 4055 section 2.1: readers take parameters that are absent as well as NULL.
  return hash->parameter == nullptr || hash->parameter->type == V_ASN1_NULL;
}

bool is_mgf1_sha256(const X509_ALGOR* mask) {
  if (mask == nullptr || nid_of(mask) != NID_mgf1) return false;
  Algorithm::Ptr hash = Algorithm::decode(sequence_parameters(mask));
  return hash != nullptr && is_sha256(hash.get());
}

bool is_empty_label(const X509_ALGOR* source) {
  if (source == nullptr) return true;
  const ASN1_TYPE* label = source->parameter;
  return nid_of(source) == NID_pSpecified && label != nullptr && label->type == V_ASN1_OCTET_STRING &&
         ASN1_STRING_length(label->value.octet_string) == 0;
}

constexpr char kAskForOaep[] =
    "ask the sender to add -keyopt rsa_padding_mode:oaep -keyopt rsa_oaep_md:sha256 behind "
    "each -recip CERT";

// CmsRecipient::problem.
std::string key_wrap_problem(const X509_ALGOR* algorithm) {
  const int nid = nid_of(algorithm);
  if (nid == NID_rsaEncryption) {
    return std::string("its key is wrapped with RSA PKCS#1 v1.5 padding, which is not approved (SP 800-131A); ") +
           kAskForOaep;
  }
  if (nid != NID_rsaesOaep) {
    return "its key is wrapped with " + text_of(algorithm->algorithm) + ", not with RSA-OAEP; " + kAskForOaep;
  }
  OaepParameters::Ptr oaep = OaepParameters::decode(sequence_parameters(algorithm));
  if (oaep != nullptr && is_sha256(oaep->hashFunc) && is_mgf1_sha256(oaep->maskGenFunc) &&
      is_empty_label(oaep->pSourceFunc)) {
    return "";
  }
  return std::string("its key is wrapped with RSA-OAEP, but not with SHA-256 for both hashes and an empty label; ") +
         kAskForOaep;
}

// Recipients of other kinds than key transport, by their context-specific tag (RFC 5652 section 6.2).
std::string other_kind(uint8_t identifier) {
  switch (identifier) {
    case 0xA1:
      return "key agreement";
    case 0xA2:
      return "a shared key";
    case 0xA3:
      return "a password";
    case 0xA4:
      return "a way of its own";
    default:
      return "";
  }
}

[[noreturn]] void refuse_recipient() {
  throw Error(Code::kTampered, "a recipient of the message cannot be decoded");
}

void read_id(const CmsRecipientId& id, CmsRecipient& recipient) {
  if (id.type == kIssuerAndSerial) {
    const PKCS7_ISSUER_AND_SERIAL* named = id.d.issuer_and_serial;
    recipient.issuer_and_serial = IssuerAndSerial::encode(named);
    recipient.name = "serial " + hex_text(bytes_of(named->serial)) + ", issuer " + name_text(named->issuer);
  } else {
    recipient.key_id = bytes_of(id.d.key_id).copy();
    recipient.name = "key identifier " + hex_text(recipient.key_id);
  }
}

// RFC 5652 section 6.2.1: version 0 goes with issuer and serial number, 2 with a key identifier.
bool version_fits(const CmsKeyTransport& key_transport) {
  int64_t version = -1;
  if (ASN1_INTEGER_get_int64(&version, key_transport.version) != 1) return false;
  return version == (key_transport.id->type == kKeyId ? 2 : 0);
}

}  // namespace

CmsRecipient decode_recipient_info(ByteView der) {
  QuietErrors quiet;
  if (der.empty()) refuse_recipient();
  CmsRecipient recipient;
  const std::string kind = other_kind(*der.data());
  if (!kind.empty()) {
    recipient.name = "one by " + kind;
    recipient.problem =
        "it is not for a certificate with an RSA key, but by " + kind + "; ask the sender for -recip CERT";
    return recipient;
  }
  KeyTransport::Ptr decoded = KeyTransport::decode(der);
  if (decoded == nullptr || !version_fits(*decoded)) refuse_recipient();
  read_id(*decoded->id, recipient);
  recipient.wrapped_key = bytes_of(decoded->wrapped_key).copy();
  recipient.problem = key_wrap_problem(decoded->algorithm);
  return recipient;
}

namespace {

Bytes encode_oaep_parameters() {
  OaepParameters::Ptr oaep = OaepParameters::make();
  Algorithm::Ptr hash = Algorithm::make();
  set_algorithm(hash.get(), NID_sha256, {});
  Algorithm::Ptr mask = Algorithm::make();
  set_algorithm(mask.get(), NID_mgf1, Algorithm::encode(hash.get()));
  oaep->hashFunc = hash.release();
  oaep->maskGenFunc = mask.release();
  return OaepParameters::encode(oaep.get());
}

}  // namespace

Bytes encode_recipient_info(ByteView issuer_and_serial, ByteView wrapped_key) {
  KeyTransport::Ptr info = KeyTransport::make();
  IssuerAndSerial::Ptr named = IssuerAndSerial::decode(issuer_and_serial);
  if (named == nullptr) {
    require_memory();
    throw Error::openssl(Code::kInvalidArgument, "the issuer and serial number of a certificate cannot be decoded");
  }
  require_openssl(ASN1_INTEGER_set_int64(info->version, 0) == 1, "setting a version");
  info->id->type = kIssuerAndSerial;
  info->id->d.issuer_and_serial = named.release();
  set_algorithm(info->algorithm, NID_rsaesOaep, encode_oaep_parameters());
  set_bytes(info->wrapped_key, wrapped_key);
  return KeyTransport::encode(info.get());
}

bool same_issuer_and_serial(ByteView a, ByteView b) {
  QuietErrors quiet;
  IssuerAndSerial::Ptr first = IssuerAndSerial::decode(a);
  IssuerAndSerial::Ptr second = IssuerAndSerial::decode(b);
  return first != nullptr && second != nullptr && ASN1_INTEGER_cmp(first->serial, second->serial) == 0 &&
         X509_NAME_cmp(first->issuer, second->issuer) == 0;
}

CmsNonce decode_content_encryption(ByteView der) {
  QuietErrors quiet;
  Algorithm::Ptr algorithm = Algorithm::decode(der);
  if (algorithm == nullptr) throw Error(Code::kTampered, "the message's content encryption cannot be decoded");
  if (nid_of(algorithm.get()) != NID_aes_256_gcm) {
    throw Error(Code::kNotCms, "its content is encrypted with " + text_of(algorithm->algorithm) +
                                   ", not with AES-256-GCM; ask the sender for -aes-256-gcm");
  }
  GcmParameters::Ptr parameters = GcmParameters::decode(sequence_parameters(algorithm.get()));
  if (parameters == nullptr) throw Error(Code::kTampered, "the message's AES-GCM parameters cannot be decoded");
  int64_t tag_length = 12;  // RFC 5084 section 3.2: the default
  if (parameters->tag_length != nullptr && ASN1_INTEGER_get_int64(&tag_length, parameters->tag_length) != 1) {
    tag_length = -1;
  }
  const ByteView nonce = bytes_of(parameters->nonce);
  if (tag_length != kCmsTagLength || nonce.size() != kCmsNonceLength) {
    throw Error(Code::kNotCms, "its AES-256-GCM has a nonce of " + std::to_string(nonce.size()) + " and a tag of " +
                                   std::to_string(tag_length) + " bytes, not of 12 and 16; ask the sender for these");
  }
  CmsNonce copy{};
  std::copy(nonce.begin(), nonce.end(), copy.begin());
  return copy;
}

Bytes encode_content_encryption(const CmsNonce& nonce) {
  GcmParameters::Ptr parameters = GcmParameters::make();
  set_bytes(parameters->nonce, ByteView(nonce.data(), nonce.size()));
  parameters->tag_length = ASN1_INTEGER_new();
  require_openssl(
      parameters->tag_length != nullptr && ASN1_INTEGER_set_int64(parameters->tag_length, kCmsTagLength) == 1,
      "setting a tag length");
  Algorithm::Ptr algorithm = Algorithm::make();
  set_algorithm(algorithm.get(), NID_aes_256_gcm, GcmParameters::encode(parameters.get()));
  return Algorithm::encode(algorithm.get());
}

std::string object_name(ByteView oid_der) {
  QuietErrors quiet;
  const uint8_t* cursor = oid_der.data();
  OpensslPtr<ASN1_OBJECT, ASN1_OBJECT_free> object(
      d2i_ASN1_OBJECT(nullptr, &cursor, static_cast<long>(oid_der.size())));
  return object == nullptr ? "unknown" : text_of(object.get());
}

Bytes object_der(int nid) {
  uint8_t* der = nullptr;
  const int length = i2d_ASN1_OBJECT(OBJ_nid2obj(nid), &der);
  require_openssl(length > 0, "encoding an object identifier");
  Bytes bytes(der, der + length);
  OPENSSL_free(der);
  return bytes;
}

}  // namespace callseal
