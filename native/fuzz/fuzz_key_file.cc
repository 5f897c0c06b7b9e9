// Hostile private-key files: every input is probed, and opened without and with a passphrase.
//
// Seeds: corpus/fuzz_key_file. Their passphrase is "fuzz"; see module_from_environment.h for the crypto module.
#include <openssl/err.h>
#include <stdlib.h>

#include <string>

#include "../test/module_from_environment.h"
#include "error.h"
#include "key_file.h"
#include "pkcs12.h"

namespace {

using namespace callseal;

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

}  // namespace

extern "C" int LLVMFuzzerInitialize(int*, char***) {
  test::initialise_module_from_environment();
  return 0;
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const Passphrase passphrase = Passphrase::from_bytes(ByteView::of("fuzz"));
  ByteView bytes(data, size);
  probe_key_bytes(bytes);
  require(ERR_peek_error() == 0);
  open_key(bytes, nullptr);
  open_key(bytes, &passphrase);
  return 0;
}
