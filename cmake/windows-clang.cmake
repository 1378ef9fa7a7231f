# Cross-building for Windows: clang, since gcc has no __try, on mingw-w64's headers and libraries.
# What is built runs under Wine here, if there is one.

set(CMAKE_SYSTEM_NAME Windows)
set(CMAKE_SYSTEM_PROCESSOR x86_64)

find_program(WINDOWS_CLANG NAMES clang-19 clang REQUIRED)
set(CMAKE_C_COMPILER ${WINDOWS_CLANG})
set(CMAKE_C_COMPILER_TARGET x86_64-w64-mingw32)
set(CMAKE_EXE_LINKER_FLAGS_INIT -fuse-ld=lld)

set(CMAKE_FIND_ROOT_PATH /usr/x86_64-w64-mingw32)
set(CMAKE_FIND_ROOT_PATH_MODE_PROGRAM NEVER)
set(CMAKE_FIND_ROOT_PATH_MODE_LIBRARY ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_INCLUDE ONLY)

find_program(WINE NAMES wine wine64)
if(WINE)
  set(CMAKE_CROSSCOMPILING_EMULATOR ${WINE})
endif()
