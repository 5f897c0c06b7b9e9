// A PKCS#11 module for tests: hands every call on to REAL_MODULE, except where a file in FAULTS says otherwise.
//
//   close-sessions   before the next signature or decryption every session is closed, once
//   remove-token     no token is there, and operations answer CKR_DEVICE_REMOVED
//   lock-pin         C_Login answers CKR_PIN_LOCKED
//   host-memory      C_Login answers CKR_HOST_MEMORY
//   left-errno       C_Login and C_CloseSession leave ENOMEM in errno, as where pages cannot be locked
//   final-try        tokens say that the next wrong PIN locks them
//   give-out-keys    keys are made extractable, whatever was asked for
//   oaep-sha256      OAEP with SHA-256 is offered (SoftHSM 2.6.1 has it with SHA-1 only)
#define OPENSSL_SUPPRESS_DEPRECATED
#include <dlfcn.h>
#include <errno.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <unistd.h>

#include <string>
#include <vector>

#include "pkcs11_types.h"

namespace {

using namespace callseal::pkcs11;

FunctionList real_list;
FunctionList list;
bool oaep_running = false;

bool on(const char* fault) {
  return access((std::string(FAULTS) + fault).c_str(), F_OK) == 0;
}

Rv before_operation() {
  if (on("remove-token")) return kDeviceRemoved;
  if (!on("close-sessions")) return kOk;
  unlink((std::string(FAULTS) + "close-sessions").c_str());
  Ulong count = 0;
  real_list.C_GetSlotList(kTrue, nullptr, &count);
  std::vector<SlotId> slots(count);
  real_list.C_GetSlotList(kTrue, slots.data(), &count);
  auto close_all = reinterpret_cast<Rv (*)(SlotId)>(real_list.C_CloseAllSessions);
  for (SlotId slot : slots) close_all(slot);
  return kOk;
}

Rv get_slot_list(unsigned char present, SlotId* slots, Ulong* count) {
  if (!on("remove-token")) return real_list.C_GetSlotList(present, slots, count);
  *count = 0;
  return kOk;
}

Rv get_token_info(SlotId slot, TokenInfo* info) {
  Rv rv = real_list.C_GetTokenInfo(slot, info);
  if (rv == kOk && on("final-try")) info->flags |= kUserPinFinalTry;
  return rv;
}

Rv leaving_errno(Rv rv) {
  if (on("left-errno")) errno = ENOMEM;
  return rv;
}

Rv login(SessionHandle session, Ulong user, unsigned char* pin, Ulong length) {
  if (on("lock-pin")) return kPinLocked;
  if (on("host-memory")) return kHostMemory;
  return leaving_errno(real_list.C_Login(session, user, pin, length));
}

Rv close_session(SessionHandle session) {
  return leaving_errno(real_list.C_CloseSession(session));
}

Rv sign_init(SessionHandle session, Mechanism* mechanism, ObjectHandle key) {
  Rv rv = before_operation();
  return rv != kOk ? rv : real_list.C_SignInit(session, mechanism, key);
}

bool is_oaep_sha256(const Mechanism& mechanism) {
  if (mechanism.mechanism != kRsaPkcsOaep || mechanism.parameter_length != sizeof(OaepParameters)) return false;
  const auto& parameters = *static_cast<const OaepParameters*>(mechanism.parameter);
  return parameters.hash == kSha256Mechanism && parameters.mgf == kMgf1Sha256 &&
         parameters.source == kDataSpecified && parameters.source_data_length == 0;
}

Rv decrypt_init(SessionHandle session, Mechanism* mechanism, ObjectHandle key) {
  Rv rv = before_operation();
  if (rv != kOk) return rv;
  oaep_running = on("oaep-sha256") && is_oaep_sha256(*mechanism);
  Mechanism plain{kRsaX509, nullptr, 0};
  return real_list.C_DecryptInit(session, oaep_running ? &plain : mechanism, key);
}

Rv decrypt(SessionHandle session, unsigned char* in, Ulong in_length, unsigned char* out, Ulong* out_length) {
  if (!oaep_running) return real_list.C_Decrypt(session, in, in_length, out, out_length);
  std::vector<unsigned char> encoded(in_length);
  Ulong length = encoded.size();
  Rv rv = real_list.C_Decrypt(session, in, in_length, encoded.data(), &length);
  if (rv != kOk) return rv;
  int unpadded = RSA_padding_check_PKCS1_OAEP_mgf1(out, static_cast<int>(*out_length), encoded.data(),
                                                   static_cast<int>(length), static_cast<int>(in_length), nullptr, 0,
                                                   EVP_sha256(), EVP_sha256());
  ERR_clear_error();
  if (unpadded < 0) return kEncryptedDataInvalid;
  *out_length = static_cast<Ulong>(unpadded);
  return kOk;
}

Rv generate_key_pair(SessionHandle session, Mechanism* mechanism, Attribute* public_attributes, Ulong public_count,
                     Attribute* private_attributes, Ulong private_count, ObjectHandle* public_key,
                     ObjectHandle* private_key) {
  unsigned char yes = kTrue;
  for (Ulong i = 0; i < private_count; i++) {
    Attribute& attribute = private_attributes[i];
    if (on("give-out-keys") && attribute.type == kExtractable) attribute.value = &yes;
  }
  return real_list.C_GenerateKeyPair(session, mechanism, public_attributes, public_count, private_attributes,
                                     private_count, public_key, private_key);
}

}  // namespace

extern "C" Rv C_GetFunctionList(FunctionList** out) {
  void* library = dlopen(REAL_MODULE, RTLD_NOW | RTLD_LOCAL | RTLD_DEEPBIND);
  if (library == nullptr) return kGeneralError;
  FunctionList* real = nullptr;
  Rv rv = reinterpret_cast<GetFunctionList>(dlsym(library, "C_GetFunctionList"))(&real);
  if (rv != kOk) return rv;
  real_list = list = *real;
  list.C_GetSlotList = get_slot_list;
  list.C_GetTokenInfo = get_token_info;
  list.C_Login = login;
  list.C_CloseSession = close_session;
  list.C_SignInit = sign_init;
  list.C_DecryptInit = decrypt_init;
  list.C_Decrypt = decrypt;
  list.C_GenerateKeyPair = generate_key_pair;
  *out = &list;
  return kOk;
}
