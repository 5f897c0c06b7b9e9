// Fresh memory costs page faults, which take several times as long as encrypting into it does.
#pragma once

#include <cstddef>

namespace callseal {

// Has malloc keep up to 48 MiB that were freed in each of its arenas (the main thread has one, other threads share
// some), instead of handing them back to the system at once, so that what is allocated and freed in a steady stream
// stays mapped. What any process gets that frees one large block. Once a process.
void keep_freed_memory();

// Asks for huge pages where memory that has not been touched yet is large: a fault for every 2 MiB, not for every 4
// KiB.
void prefer_huge_pages(void* data, size_t length);

}  // namespace callseal
