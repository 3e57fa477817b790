# Libraries from Debian packages; tools/deps.sh installs them.
find_package(PkgConfig REQUIRED)
find_package(Threads REQUIRED)
pkg_check_modules(SECP256K1 REQUIRED IMPORTED_TARGET libsecp256k1>=0.2.0)
pkg_check_modules(SODIUM REQUIRED IMPORTED_TARGET libsodium)
pkg_check_modules(UV REQUIRED IMPORTED_TARGET libuv)
set(ASSAY_LIBRARIES PkgConfig::SECP256K1 PkgConfig::SODIUM PkgConfig::UV
    Threads::Threads m)
