# Adds to the file `list` those of `folders`, and of the folders above them, that are not there yet,
# the outermost first. Within an install script; what CPack installs for a package is passed over.

if("$ENV{DESTDIR}${CMAKE_INSTALL_PREFIX}" MATCHES "/_CPack_Packages/")
  return()
endif()

get_filename_component(prefix "$ENV{DESTDIR}${CMAKE_INSTALL_PREFIX}" ABSOLUTE)
set(new "")
foreach(folder IN LISTS folders)
  cmake_path(ABSOLUTE_PATH folder BASE_DIRECTORY ${prefix})
  while(NOT EXISTS ${folder})
    list(APPEND new ${folder})
    cmake_path(GET folder PARENT_PATH folder)
  endwhile()
endforeach()
if(new)
  list(REMOVE_DUPLICATES new)
  list(SORT new)
  list(JOIN new "\n" lines)
  file(APPEND ${list} "${lines}\n")
endif()
