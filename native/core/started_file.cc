#include "started_file.h"

namespace callseal {

StartedFile start_file(const EnvelopeTemplate& form, const std::shared_ptr<const FileSigner>& signer, ByteView prelude,
                       uint32_t segment_length) {
  Envelope envelope = make_envelope(form, prelude);
  StartedFile file{std::move(envelope.header), FloeMessage::create(envelope.body_key, prelude, segment_length),
                   std::nullopt};
  if (signer == nullptr) return file;
  file.signature.emplace(signer, prelude, file.message.header_view());
  append(file.header, file.signature->opening_block());
  return file;
}

}  // namespace callseal
