# Writes to the file `list` what was installed, with DESTDIR. Within an install script, the last one.
# What CPack installs for a package is no installation, and leaves an earlier one's list alone, which
# CMake's own install_manifest.txt does not.

if(NOT "$ENV{DESTDIR}${CMAKE_INSTALL_PREFIX}" MATCHES "/_CPack_Packages/")
  set(files ${CMAKE_INSTALL_MANIFEST_FILES})
  list(TRANSFORM files PREPEND "$ENV{DESTDIR}")
  list(JOIN files "\n" lines)
  file(WRITE ${list} "${lines}\n")
endif()
