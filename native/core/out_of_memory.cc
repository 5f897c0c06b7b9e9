#include "out_of_memory.h"

namespace callseal {

bool may_come_of_memory(Code code) {
  switch (code) {
    case Code::kCrypto:
    case Code::kFipsUnavailable:        // a provider that cannot be loaded
    case Code::kNotApproved:            // an algorithm that cannot be fetched
    case Code::kTampered:               // a tag, a padding or a structure
    case Code::kNotCms:                 // an algorithm without a name
    case Code::kCertificateUnreadable:  // a structure
    case Code::kKeyUnreadable:          // a structure
    case Code::kWrongPassphrase:        // a padding
    case Code::kPassphraseRequired:     // the same, of a PKCS#12 file that was tried without one
    case Code::kKeySubstituted:         // a wrapped key
      return true;
    case Code::kNotIsolated:
    case Code::kInvalidArgument:
    case Code::kNoMatchingKey:
    case Code::kKeyUse:
    case Code::kAlreadyEncrypted:
    case Code::kTruncated:
    case Code::kInputChanged:
    case Code::kInputBusy:
    case Code::kOutputExists:
    case Code::kIo:  // a system call that was refused for it tells so itself
    case Code::kAborted:
    case Code::kNotExportable:
    case Code::kEntityMismatch:
      return false;
  }
  return false;
}

}  // namespace callseal
