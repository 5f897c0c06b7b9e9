// Included before everything else in a portable build (CALLSEAL_PORTABLE): asks for the elder of two versions of a
// symbol, so that the binary loads where the C++ library is that of GCC 11 (RHEL 9, Amazon Linux 2023).
#pragma once

// GCC 12 gave it a version of its own when it became noexcept.
__asm__(
    ".symver _ZNSt18condition_variable4waitERSt11unique_lockISt5mutexE,"
    "_ZNSt18condition_variable4waitERSt11unique_lockISt5mutexE@GLIBCXX_3.4.11");
