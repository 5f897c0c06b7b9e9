// Call file → CMS message and back, any size, flat memory, one pass each. Plaintext is never on the disk.
//
// On the way out every segment is authentic before it is encrypted anew. On the way in nothing is authentic before the
// message's one tag at its end; until then there is only an unnamed file of ciphertext, whose content key is in this
// process's memory and nowhere else.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "cms_reader.h"
#include "envelope.h"
#include "file_job.h"

namespace callseal {

enum class CmsForm { kDer, kPem };

// For whom a message is.
struct CmsWrap {
  std::shared_ptr<const PublicKey> public_key;
  Bytes issuer_and_serial;  // of the certificate, DER
};

// The FLOE body that begins at `offset` of the input → AuthEnvelopedData. With a `signature`, whose opening was
// verified, its closing block must follow the body. kTampered, kTruncated, kInputChanged; kInvalidArgument when the
// content is longer than AES-GCM allows, or the output is the input.
FileJobResult export_cms(const InputFile& input, AtomicFile& output, uint64_t offset, const SecretKey& body_key,
                         ByteView aad, const std::vector<CmsWrap>& wraps, CmsForm form, JobControl& control,
                         const FileSignature* signature = nullptr);

// A recipient, and the key that it says to have.
struct CmsMatch {
  size_t recipient;
  Sha256 spki_sha256;
};

// A file that holds a message, and what is known without a key.
class CmsInput {
 public:
  // Errors of InputFile and CmsReader.
  explicit CmsInput(const std::string& path);

  const InputFile& file() const { return file_; }
  const CmsHeader& header() const { return header_; }
  // Which recipients the certificates in a file are: by issuer and serial number, or by key identifier. The file may be
  // one of private keys, too, which are passed over. kCertificateUnreadable, kIo.
  std::vector<CmsMatch> match(const std::string& certificates) const;
  // The content-encryption key as recipient `index` has it. kTampered when it does not open with `key`, whatever the
  // reason; kNotCms when it is wrapped in another way than Callseal reads; kInvalidArgument for an index beyond.
  SecretKey unwrap(const PrivateKey& key, size_t index) const;

 private:
  InputFile file_;
  CmsHeader header_;
};

// A message → call file, encrypted under a fresh content key, and signed by `signer` unless that is null. kTampered,
// kTruncated, kNotCms, kInputChanged; kInvalidArgument when the output is the input.
FileJobResult import_cms(const CmsInput& input, AtomicFile& output, const SecretKey& content_encryption_key,
                         const EnvelopeTemplate& form, ByteView prelude, uint32_t segment_length, JobControl& control,
                         const std::shared_ptr<const FileSigner>& signer = nullptr);

}  // namespace callseal
