# For CMake: compiles for 64-bit ARM with Debian's cross compiler, against the OpenSSL of the sysroot that
# CALLSEAL_SYSROOT names in the environment (scripts/prebuild/arm64.mjs fills it).
set(CMAKE_SYSTEM_NAME Linux)
set(CMAKE_SYSTEM_PROCESSOR aarch64)
set(CMAKE_CXX_COMPILER aarch64-linux-gnu-g++)

set(callseal_usr $ENV{CALLSEAL_SYSROOT}/usr)
set(OPENSSL_INCLUDE_DIR ${callseal_usr}/include)
set(OPENSSL_CRYPTO_LIBRARY ${callseal_usr}/lib/aarch64-linux-gnu/libcrypto.so.3)
# Debian keeps what differs between machines, openssl/configuration.h, in a directory of its own.
set(CMAKE_CXX_STANDARD_INCLUDE_DIRECTORIES ${callseal_usr}/include/aarch64-linux-gnu)
# The sysroot is on this machine only: no path of it in the binary.
set(CMAKE_SKIP_BUILD_RPATH ON)
