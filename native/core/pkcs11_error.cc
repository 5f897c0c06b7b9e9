#include "pkcs11_error.h"

#include <stdio.h>

#include <new>

namespace callseal {
namespace {

using namespace pkcs11;

struct Known {
  Rv rv;
  const char* name;
  Code code;
  const char* meaning;
};

constexpr Known kKnown[] = {
    {kPinIncorrect, "CKR_PIN_INCORRECT", Code::kWrongPassphrase,
     "the PIN is wrong. After a few wrong PINs a token locks itself: make sure of it before you try again"},
    {kPinInvalid, "CKR_PIN_INVALID", Code::kWrongPassphrase, "the PIN has characters that the token does not allow"},
    {kPinLenRange, "CKR_PIN_LEN_RANGE", Code::kWrongPassphrase, "the PIN is too short or too long for the token"},
    {kPinExpired, "CKR_PIN_EXPIRED", Code::kKeyUnreadable, "the PIN has expired; set a new one with the token's tools"},
    {kPinLocked, "CKR_PIN_LOCKED", Code::kKeyUnreadable,
     "the token is locked after too many wrong PINs; its security officer has to unlock it"},
    {kUserPinNotInitialized, "CKR_USER_PIN_NOT_INITIALIZED", Code::kKeyUnreadable,
     "the token has no user PIN yet; set one with the token's tools"},
    {kDeviceRemoved, "CKR_DEVICE_REMOVED", Code::kKeyUnreadable, "the token was removed"},
    {kTokenNotPresent, "CKR_TOKEN_NOT_PRESENT", Code::kKeyUnreadable, "the token is not there"},
    {kSessionClosed, "CKR_SESSION_CLOSED", Code::kKeyUnreadable, "the session with the token was closed"},
    {kSessionHandleInvalid, "CKR_SESSION_HANDLE_INVALID", Code::kKeyUnreadable,
     "the session with the token was closed"},
    {kUserNotLoggedIn, "CKR_USER_NOT_LOGGED_IN", Code::kKeyUnreadable,
     "the token does not take this process as logged in"},
    {kKeyHandleInvalid, "CKR_KEY_HANDLE_INVALID", Code::kKeyUnreadable, "the key is no longer in the token"},
    {kObjectHandleInvalid, "CKR_OBJECT_HANDLE_INVALID", Code::kKeyUnreadable, "the key is no longer in the token"},
};

const Known* find(Rv rv) {
  for (const Known& known : kKnown) {
    if (known.rv == rv) return &known;
  }
  return nullptr;
}

std::string name_of(Rv rv) {
  if (const Known* known = find(rv)) return known->name;
  char text[40];
  snprintf(text, sizeof text, "PKCS#11 error 0x%lX", rv);
  return text;
}

std::string message(Rv rv, const std::string& what, const std::string& where) {
  const Known* known = find(rv);
  std::string why = known != nullptr ? std::string(": ") + known->meaning : "";
  return where + ": " + what + " failed" + why + " (" + name_of(rv) + ")";
}

Code code_of(Rv rv) {
  const Known* known = find(rv);
  return known != nullptr ? known->code : Code::kCrypto;
}

}  // namespace

Pkcs11Error::Pkcs11Error(Rv rv, const std::string& what, const std::string& where)
    : Error(code_of(rv), message(rv, what, where)), rv_(rv) {}

bool Pkcs11Error::connection_lost() const {
  switch (rv_) {
    case kSessionHandleInvalid:
    case kSessionClosed:
    case kDeviceRemoved:
    case kTokenNotPresent:
    case kUserNotLoggedIn:
    case kKeyHandleInvalid:
    case kObjectHandleInvalid:
    case kCryptokiNotInitialized:
      return true;
    default:
      return false;
  }
}

bool Pkcs11Error::pin_refused() const {
  return rv_ == kPinIncorrect || rv_ == kPinInvalid || rv_ == kPinLenRange || rv_ == kPinLocked || rv_ == kPinExpired;
}

bool Pkcs11Error::input_refused() const {
  switch (rv_) {
    case kGeneralError:
    case kFunctionFailed:
    case kArgumentsBad:
    case kDataInvalid:
    case kDataLenRange:
    case kEncryptedDataInvalid:
    case kEncryptedDataLenRange:
      return true;
    default:
      return false;
  }
}

void require_pkcs11(Rv rv, const char* what, const std::string& where) {
  if (rv == kHostMemory) throw std::bad_alloc();
  if (rv != kOk) throw Pkcs11Error(rv, what, where);
}

}  // namespace callseal
