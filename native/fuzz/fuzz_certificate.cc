// Hostile certificate files: every input is read as recipients, and what is said of them must be fit to be printed.
//
// Seeds: corpus/fuzz_certificate. See module_from_environment.h for the crypto module.
#include <openssl/err.h>
#include <stdlib.h>

#include <string>

#include "../test/module_from_environment.h"
#include "certificate.h"
#include "error.h"
#include "support/der_mutator.h"

namespace {

using namespace callseal;

void require(bool condition) {
  if (!condition) abort();
}

void require_printable(const std::string& text) {
  for (char c : text) require(static_cast<uint8_t>(c) >= 0x20 && c != 0x7F);
}

void check(const RecipientEntry& entry) {
  require(entry.public_key != nullptr && entry.public_key->bits() >= 0);
  require(!entry.public_key->to_pem().empty());
  if (!entry.certificate) return;
  require_printable(entry.certificate->subject);
  require_printable(entry.certificate->issuer);
  require_printable(entry.certificate->signature_algorithm);
  require(entry.certificate->serial.empty() || entry.certificate->serial[0] != 0);
}

}  // namespace

extern "C" int LLVMFuzzerInitialize(int*, char***) {
  test::initialise_module_from_environment();
  return 0;
}

extern "C" size_t LLVMFuzzerCustomMutator(uint8_t* data, size_t size, size_t max_size, unsigned seed) {
  return fuzz::mutate_der(data, size, max_size, seed);
}

extern "C" size_t LLVMFuzzerCustomCrossOver(const uint8_t* data1, size_t size1, const uint8_t* data2, size_t size2,
                                            uint8_t* out, size_t max_size, unsigned seed) {
  return fuzz::cross_der(data1, size1, data2, size2, out, max_size, seed);
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  try {
    for (const RecipientEntry& entry : read_recipients(ByteView(data, size))) check(entry);
  } catch (const Error& error) {
    require(error.code() == Code::kCertificateUnreadable);
    require_printable(error.what());
  }
  require(ERR_peek_error() == 0);
  return 0;
}
