// Mutations of ASN.1 by element: what comes of them is still nested as it says, so that it gets behind the lengths, on
// which nearly every mutation by byte ends.
#pragma once

#include <cstddef>
#include <cstdint>

// libFuzzer's own mutator.
extern "C" size_t LLVMFuzzerMutate(uint8_t* data, size_t size, size_t max_size);

namespace callseal::fuzz {

// As LLVMFuzzerCustomMutator: changes `data` in place and returns its new length. Of what is not DER or BER, and every
// other time, it leaves the mutation to LLVMFuzzerMutate: lies about lengths are found by byte.
size_t mutate_der(uint8_t* data, size_t size, size_t max_size, unsigned seed);

// As LLVMFuzzerCustomCrossOver: an element of the one in the place of one of the other. 0 when either is no DER.
size_t cross_der(const uint8_t* data1, size_t size1, const uint8_t* data2, size_t size2, uint8_t* out, size_t max_size,
                 unsigned seed);

}  // namespace callseal::fuzz
