// A writer's signature of a file: the opening block before the body and the closing block after it (docs/format.md
// section 9).
//
// The layout belongs to TypeScript (lib/callfile/signature-block.ts), which hands over what it has laid out; here
// are the statements that are signed, and the signatures.
#pragma once

#include <memory>
#include <optional>

#include "body_digest.h"
#include "bytes.h"
#include "rsa_key.h"

namespace callseal {

// The format's words around a signature.
struct SignatureTexts {
  Bytes opening_label;
  Bytes closing_label;
  Bytes closing_mark;  // what a closing block begins with
};

// What one writer signs all its files with.
struct FileSigner {
  std::shared_ptr<const PrivateKey> key;
  SignatureScheme scheme;
  Bytes fields;  // the opening block up to its signature
  SignatureTexts texts;

  // kInvalidArgument when the scheme is not the one for this key.
  void validate() const;
  size_t signature_length() const { return key->public_key()->signature_length(scheme); }
  size_t closing_length() const { return texts.closing_mark.size() + signature_length(); }
};

// One file being signed.
class SignedFile {
 public:
  // Signs the opening. `floe_header` begins the body.
  SignedFile(std::shared_ptr<const FileSigner> signer, ByteView prelude, ByteView floe_header);

  const Bytes& opening_block() const { return opening_; }
  size_t closing_length() const { return signer_->closing_length(); }
  // Once the last segment is there.
  Bytes closing_block(const BodySummary& body) const;

 private:
  std::shared_ptr<const FileSigner> signer_;
  Bytes opening_;
  Sha256 start_;
};

// What a reader has found in a file.
struct FileSignature {
  std::shared_ptr<const PublicKey> key;
  SignatureScheme scheme;
  Bytes fields;
  Bytes signature;
  SignatureTexts texts;
  Bytes prelude;
  Bytes floe_header;

  // kTampered unless the opening was signed with `key`.
  void verify_opening() const;
  size_t closing_length() const { return texts.closing_mark.size() + key->signature_length(scheme); }
  // kTampered, likewise.
  void verify_closing(ByteView block, const BodySummary& body) const;
};

}  // namespace callseal
