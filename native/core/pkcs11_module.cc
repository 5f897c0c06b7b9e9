#include "pkcs11_module.h"

#include <dlfcn.h>

#include <map>
#include <mutex>

#include "isolation.h"
#include "pkcs11_error.h"

namespace callseal {
namespace {

using namespace pkcs11;

// Without the padding, and without what would disturb a terminal or a log.
template <size_t N>
std::string text_of(const unsigned char (&padded)[N]) {
  std::string text(padded, padded + N);
  text.erase(text.find_last_not_of(std::string(" \0", 2)) + 1);
  for (char& c : text) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F) c = '?';
  }
  return text;
}

const FunctionList* function_list(void* library, const std::string& path) {
  void* symbol = dlsym(library, "C_GetFunctionList");
  if (symbol == nullptr) {
    throw Error::about(Code::kKeyUnreadable, path, "is not a PKCS#11 module: it has no C_GetFunctionList");
  }
  FunctionList* list = nullptr;
  Rv rv = reinterpret_cast<GetFunctionList>(symbol)(&list);
  require_pkcs11(rv, "C_GetFunctionList", "the PKCS#11 module " + path);
  if (list == nullptr || list->version.major < 2) {
    throw Error::about(Code::kKeyUnreadable, path, "speaks a version of PKCS#11 before 2.0");
  }
  return list;
}

bool fits(const Token& token, const TokenAddress& address) {
  return (!address.token_label || *address.token_label == token.label) &&
         (!address.serial || *address.serial == token.serial);
}

std::string describe_wanted(const TokenAddress& address) {
  std::string text = "token";
  if (address.token_label) text += " \"" + *address.token_label + "\"";
  if (address.serial) text += " with serial " + *address.serial;
  return text;
}

std::string list_of(const std::vector<Token>& tokens) {
  std::string text;
  for (const Token& token : tokens) text += (text.empty() ? "" : ", ") + token.describe();
  return text.empty() ? "no token that is initialised" : text;
}

}  // namespace

std::string Token::describe() const {
  return "token \"" + label + "\" (serial " + serial + ")";
}

Pkcs11Module::Pkcs11Module(std::string path, const FunctionList* functions)
    : path_(std::move(path)), functions_(functions) {
  initialise();
}

const Pkcs11Module& Pkcs11Module::load(const std::string& path) {
  if (path.empty() || path[0] != '/') {
    throw Error(Code::kInvalidArgument, "the PKCS#11 module is given by its absolute path, not as \"" + path + "\"");
  }
  static std::mutex mutex;
  static auto& loaded = *new std::map<void*, const Pkcs11Module*>();  // never deleted: see the top of pkcs11_module.h
  std::lock_guard<std::mutex> lock(mutex);
  void* library = load_isolated(path);
  if (library == nullptr) {
    const char* reason = dlerror();
    throw Error::about(
        Code::kKeyUnreadable, path,
        std::string("cannot be loaded as a PKCS#11 module: ") + (reason != nullptr ? reason : "unknown"));
  }
  const Pkcs11Module*& slot = loaded[library];
  if (slot == nullptr) slot = new Pkcs11Module(path, function_list(library, path));
  return *slot;
}

void Pkcs11Module::initialise() const {
  InitializeArgs args{};
  args.flags = kOsLockingOk;
  Rv rv = call(&FunctionList::C_Initialize, &args);
  if (rv == kCryptokiAlreadyInitialized) return;
  if (rv != kOk) {
    throw Error::about(Code::kKeyUnreadable, path_,
                       std::string("cannot be initialised: ") + Pkcs11Error(rv, "C_Initialize", path_).what());
  }
}

std::vector<Token> Pkcs11Module::tokens() const {
  const std::string where = "the PKCS#11 module " + path_;
  std::vector<SlotId> slots;
  Rv rv = kBufferTooSmall;
  while (rv == kBufferTooSmall) {  // a token may appear between the two calls
    Ulong count = 0;
    require_pkcs11(call(&FunctionList::C_GetSlotList, kTrue, nullptr, &count), "listing its tokens", where);
    slots.resize(count);
    rv = call(&FunctionList::C_GetSlotList, kTrue, slots.data(), &count);
    slots.resize(count);
  }
  require_pkcs11(rv, "listing its tokens", where);
  std::vector<Token> tokens;
  for (SlotId slot : slots) {
    pkcs11::TokenInfo info{};
    if (call(&FunctionList::C_GetTokenInfo, slot, &info) != kOk || (info.flags & kTokenInitialized) == 0) continue;
    tokens.push_back({slot, text_of(info.label), text_of(info.serial_number), text_of(info.model),
                      text_of(info.manufacturer_id), info.flags});
  }
  return tokens;
}

Token Pkcs11Module::find_token(const TokenAddress& address) const {
  std::vector<Token> all = tokens();
  std::vector<Token> fitting;
  for (const Token& token : all) {
    if (fits(token, address)) fitting.push_back(token);
  }
  if (fitting.empty()) {
    throw Error(Code::kKeyUnreadable,
                "the PKCS#11 module " + path_ + " has no " + describe_wanted(address) + "; it has " + list_of(all));
  }
  if (fitting.size() > 1) {
    throw Error(Code::kInvalidArgument,
                "several tokens of the PKCS#11 module " + path_ + " fit; name one by its serial: " + list_of(fitting));
  }
  return fitting[0];
}

}  // namespace callseal
