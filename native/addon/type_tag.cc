#include "type_tag.h"

#include <cstdint>

namespace callseal::addon {
namespace {

// Its address is what no other binary of this process has.
const char kHere = 0;

}  // namespace

napi_type_tag own_tag(const napi_type_tag& kind) {
  return {kind.lower, kind.upper ^ reinterpret_cast<uintptr_t>(&kHere)};
}

}  // namespace callseal::addon
