// Hostile private-key files: every input is probed, and opened without and with a passphrase.
//
// Of a PKCS#12 file that was mutated the MAC is made right again, every other time, so that what it protects is
// reached.
//
// Seeds: corpus/fuzz_key_file. Their passphrase is "fuzz"; see module_from_environment.h for the crypto module.
#include <openssl/err.h>
#include <openssl/pkcs12.h>
#include <stdlib.h>

#include <string>

#include "../test/module_from_environment.h"
#include "error.h"
#include "key_file.h"
#include "pkcs12.h"
#include "support/der_mutator.h"

namespace {

using namespace callseal;

constexpr char kPassphrase[] = "fuzz";
// A run must take milliseconds; what is bounded, and that it is, the tests show.
constexpr KdfLimits kLimits{100, 1 << 20, 1 << 20};

void require(bool condition) {
  if (!condition) abort();
}

template <typename Open>
void refuses_or_opens(const Passphrase* passphrase, Open&& open) {
  try {
    open();
  } catch (const Error& error) {
    require(error.code() == Code::kKeyUnreadable ||
            error.code() == (passphrase != nullptr ? Code::kWrongPassphrase : Code::kPassphraseRequired));
  }
  require(ERR_peek_error() == 0);
}

void open_key(ByteView bytes, const Passphrase* passphrase) {
  refuses_or_opens(passphrase, [&] { decode_private_key(bytes, passphrase, "key-file", kLimits); });
  refuses_or_opens(passphrase, [&] { decode_pkcs12(bytes, passphrase, "key-file", kLimits); });
}

// PKCS#12 under the seeds' passphrase; 0 for what is none.
size_t right_mac(uint8_t* data, size_t size, size_t max_size) {
  const uint8_t* cursor = data;
  Pkcs12Ptr file(d2i_PKCS12(nullptr, &cursor, static_cast<long>(size)));
  uint8_t salt[8] = {1};
  const bool ok =
      file != nullptr && PKCS12_set_mac(file.get(), kPassphrase, -1, salt, sizeof salt, 1, EVP_sha256()) == 1;
  ERR_clear_error();
  const int length = ok ? i2d_PKCS12(file.get(), nullptr) : 0;
  if (length <= 0 || static_cast<size_t>(length) > max_size) return 0;
  i2d_PKCS12(file.get(), &data);
  return static_cast<size_t>(length);
}

}  // namespace

extern "C" int LLVMFuzzerInitialize(int*, char***) {
  test::initialise_module_from_environment();
  return 0;
}

extern "C" size_t LLVMFuzzerCustomMutator(uint8_t* data, size_t size, size_t max_size, unsigned seed) {
  const size_t mutated = fuzz::mutate_der(data, size, max_size, seed);
  const size_t repaired = seed % 2 == 0 ? right_mac(data, mutated, max_size) : 0;
  return repaired > 0 ? repaired : mutated;
}

extern "C" size_t LLVMFuzzerCustomCrossOver(const uint8_t* data1, size_t size1, const uint8_t* data2, size_t size2,
                                            uint8_t* out, size_t max_size, unsigned seed) {
  return fuzz::cross_der(data1, size1, data2, size2, out, max_size, seed);
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const Passphrase passphrase = Passphrase::from_bytes(ByteView::of(kPassphrase));
  ByteView bytes(data, size);
  probe_key_bytes(bytes);
  require(ERR_peek_error() == 0);
  open_key(bytes, nullptr);
  open_key(bytes, &passphrase);
  return 0;
}
