#include "bytes.h"

#include <algorithm>

namespace callseal {

// Out of line: where GCC 12 for AArch64 inlines this, it warns of a write past the end that there is not.
void swap_big_endian_and_native(SecretBytes& number) {
  if (__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__) std::reverse(number.begin(), number.end());
}

}  // namespace callseal
