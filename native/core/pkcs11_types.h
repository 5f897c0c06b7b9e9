// What is used of Cryptoki, declared after the OASIS specification PKCS#11 version 2.40 (base specification sections 3
// and 5, current mechanisms section 2.1). Names keep their specified spelling without the CK_ and pointer decorations.
#pragma once

namespace callseal::pkcs11 {

using Ulong = unsigned long;
using Rv = Ulong;
using SlotId = Ulong;
using SessionHandle = Ulong;
using ObjectHandle = Ulong;
using AttributeType = Ulong;
using MechanismType = Ulong;

constexpr unsigned char kTrue = 1;
constexpr unsigned char kFalse = 0;

struct Version {
  unsigned char major;
  unsigned char minor;
};

// Texts are padded with blanks and have no zero at the end.
struct TokenInfo {
  unsigned char label[32];
  unsigned char manufacturer_id[32];
  unsigned char model[16];
  unsigned char serial_number[16];
  Ulong flags;
  Ulong max_session_count;
  Ulong session_count;
  Ulong max_rw_session_count;
  Ulong rw_session_count;
  Ulong max_pin_len;
  Ulong min_pin_len;
  Ulong total_public_memory;
  Ulong free_public_memory;
  Ulong total_private_memory;
  Ulong free_private_memory;
  Version hardware_version;
  Version firmware_version;
  unsigned char utc_time[16];
};

struct Attribute {
  AttributeType type;
  void* value;
  Ulong length;
};

struct Mechanism {
  MechanismType mechanism;
  void* parameter;
  Ulong parameter_length;
};

struct PssParameters {
  MechanismType hash;
  Ulong mgf;
  Ulong salt_length;
};

struct OaepParameters {
  MechanismType hash;
  Ulong mgf;
  Ulong source;
  void* source_data;
  Ulong source_data_length;
};

struct InitializeArgs {
  void* create_mutex;
  void* destroy_mutex;
  void* lock_mutex;
  void* unlock_mutex;
  Ulong flags;
  void* reserved;
};

// CK_FUNCTION_LIST up to the last function that is used. Those that are not hold their places.
struct FunctionList {
  using Unused = void (*)();
  Version version;
  Rv (*C_Initialize)(void* args);
  Unused C_Finalize;
  Unused C_GetInfo;
  Unused C_GetFunctionList;
  Rv (*C_GetSlotList)(unsigned char token_present, SlotId* slots, Ulong* count);
  Unused C_GetSlotInfo;
  Rv (*C_GetTokenInfo)(SlotId slot, TokenInfo* info);
  Unused C_GetMechanismList;
  Unused C_GetMechanismInfo;
  Unused C_InitToken;
  Unused C_InitPIN;
  Unused C_SetPIN;
  Rv (*C_OpenSession)(SlotId slot, Ulong flags, void* application, void* notify, SessionHandle* session);
  Rv (*C_CloseSession)(SessionHandle session);
  Unused C_CloseAllSessions;
  Unused C_GetSessionInfo;
  Unused C_GetOperationState;
  Unused C_SetOperationState;
  Rv (*C_Login)(SessionHandle session, Ulong user_type, unsigned char* pin, Ulong pin_length);
  Unused C_Logout;
  Unused C_CreateObject;
  Unused C_CopyObject;
  Rv (*C_DestroyObject)(SessionHandle session, ObjectHandle object);
  Unused C_GetObjectSize;
  Rv (*C_GetAttributeValue)(SessionHandle session, ObjectHandle object, Attribute* attributes, Ulong count);
  Unused C_SetAttributeValue;
  Rv (*C_FindObjectsInit)(SessionHandle session, Attribute* attributes, Ulong count);
  Rv (*C_FindObjects)(SessionHandle session, ObjectHandle* objects, Ulong max_count, Ulong* count);
  Rv (*C_FindObjectsFinal)(SessionHandle session);
  Unused C_EncryptInit;
  Unused C_Encrypt;
  Unused C_EncryptUpdate;
  Unused C_EncryptFinal;
  Rv (*C_DecryptInit)(SessionHandle session, Mechanism* mechanism, ObjectHandle key);
  Rv (*C_Decrypt)(SessionHandle session, unsigned char* in, Ulong in_length, unsigned char* out, Ulong* out_length);
  Unused C_DecryptUpdate;
  Unused C_DecryptFinal;
  Unused C_DigestInit;
  Unused C_Digest;
  Unused C_DigestUpdate;
  Unused C_DigestKey;
  Unused C_DigestFinal;
  Rv (*C_SignInit)(SessionHandle session, Mechanism* mechanism, ObjectHandle key);
  Rv (*C_Sign)(SessionHandle session, unsigned char* in, Ulong in_length, unsigned char* out, Ulong* out_length);
  Unused C_SignUpdate;
  Unused C_SignFinal;
  Unused C_SignRecoverInit;
  Unused C_SignRecover;
  Unused C_VerifyInit;
  Unused C_Verify;
  Unused C_VerifyUpdate;
  Unused C_VerifyFinal;
  Unused C_VerifyRecoverInit;
  Unused C_VerifyRecover;
  Unused C_DigestEncryptUpdate;
  Unused C_DecryptDigestUpdate;
  Unused C_SignEncryptUpdate;
  Unused C_DecryptVerifyUpdate;
  Unused C_GenerateKey;
  Rv (*C_GenerateKeyPair)(SessionHandle session, Mechanism* mechanism, Attribute* public_attributes, Ulong public_count,
                          Attribute* private_attributes, Ulong private_count, ObjectHandle* public_key,
                          ObjectHandle* private_key);
};

using GetFunctionList = Rv (*)(FunctionList** list);

constexpr Ulong kUnavailableInformation = ~Ulong{0};

// CKF_…
constexpr Ulong kOsLockingOk = 1UL << 1;
constexpr Ulong kRwSession = 1UL << 1;
constexpr Ulong kSerialSession = 1UL << 2;
constexpr Ulong kLoginRequired = 1UL << 2;
constexpr Ulong kTokenInitialized = 1UL << 10;
constexpr Ulong kUserPinFinalTry = 1UL << 17;

constexpr Ulong kUser = 1;  // CKU_USER

// CKO_…, CKK_…
constexpr Ulong kPublicKeyObject = 2;
constexpr Ulong kPrivateKeyObject = 3;
constexpr Ulong kRsaKeyType = 0;

// CKA_…
constexpr AttributeType kClass = 0x000;
constexpr AttributeType kToken = 0x001;
constexpr AttributeType kPrivate = 0x002;
constexpr AttributeType kLabel = 0x003;
constexpr AttributeType kKeyType = 0x100;
constexpr AttributeType kId = 0x102;
constexpr AttributeType kSensitive = 0x103;
constexpr AttributeType kEncrypt = 0x104;
constexpr AttributeType kDecrypt = 0x105;
constexpr AttributeType kSign = 0x108;
constexpr AttributeType kVerify = 0x10A;
constexpr AttributeType kModulus = 0x120;
constexpr AttributeType kModulusBits = 0x121;
constexpr AttributeType kPublicExponent = 0x122;
constexpr AttributeType kExtractable = 0x162;

// CKM_…, CKG_…, CKZ_…
constexpr MechanismType kRsaPkcsKeyPairGen = 0x0;
constexpr MechanismType kRsaPkcs = 0x1;
constexpr MechanismType kRsaX509 = 0x3;
constexpr MechanismType kRsaPkcsOaep = 0x9;
constexpr MechanismType kRsaPkcsPss = 0xD;
constexpr MechanismType kSha256Mechanism = 0x250;
constexpr Ulong kMgf1Sha256 = 0x2;
constexpr Ulong kDataSpecified = 0x1;

// CKR_…
constexpr Rv kOk = 0x00;
constexpr Rv kHostMemory = 0x02;
constexpr Rv kGeneralError = 0x05;
constexpr Rv kFunctionFailed = 0x06;
constexpr Rv kArgumentsBad = 0x07;
constexpr Rv kAttributeSensitive = 0x11;
constexpr Rv kAttributeTypeInvalid = 0x12;
constexpr Rv kDataInvalid = 0x20;
constexpr Rv kDataLenRange = 0x21;
constexpr Rv kDeviceRemoved = 0x32;
constexpr Rv kEncryptedDataInvalid = 0x40;
constexpr Rv kEncryptedDataLenRange = 0x41;
constexpr Rv kKeyHandleInvalid = 0x60;
constexpr Rv kObjectHandleInvalid = 0x82;
constexpr Rv kPinIncorrect = 0xA0;
constexpr Rv kPinInvalid = 0xA1;
constexpr Rv kPinLenRange = 0xA2;
constexpr Rv kPinExpired = 0xA3;
constexpr Rv kPinLocked = 0xA4;
constexpr Rv kSessionClosed = 0xB0;
constexpr Rv kSessionHandleInvalid = 0xB3;
constexpr Rv kTokenNotPresent = 0xE0;
constexpr Rv kUserAlreadyLoggedIn = 0x100;
constexpr Rv kUserNotLoggedIn = 0x101;
constexpr Rv kUserPinNotInitialized = 0x102;
constexpr Rv kBufferTooSmall = 0x150;
constexpr Rv kCryptokiNotInitialized = 0x190;
constexpr Rv kCryptokiAlreadyInitialized = 0x191;

}  // namespace callseal::pkcs11
