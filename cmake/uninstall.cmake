# Removes what was installed from the build folder BUILD, and the folders that were made for it where
# nothing else is in them. With DESTDIR, if that was set when it was installed.

set(files ${BUILD}/install_manifest.txt)
set(made ${BUILD}/install_folders.txt)
if(NOT EXISTS ${files})
  message(FATAL_ERROR "uninstall: nothing was installed from ${BUILD}")
endif()
file(STRINGS ${files} paths)
set(folders "")
foreach(path IN LISTS paths)
  file(REMOVE "$ENV{DESTDIR}${path}")
  cmake_path(GET path PARENT_PATH folder)
  list(APPEND folders "$ENV{DESTDIR}${folder}")
endforeach()

# Folders within the package and the documents are ours whoever made them.
list(FILTER folders INCLUDE REGEX "/(libexec|share|doc)/vmcommit(/|$)")
if(EXISTS ${made})
  file(STRINGS ${made} lines)
  list(APPEND folders ${lines})
endif()
list(REMOVE_DUPLICATES folders)
list(SORT folders ORDER DESCENDING) # the innermost first
foreach(folder IN LISTS folders)
  file(GLOB left LIST_DIRECTORIES TRUE "${folder}/*" "${folder}/.*")
  if(IS_DIRECTORY ${folder} AND NOT left)
    file(REMOVE_RECURSE ${folder})
  endif()
endforeach()
file(REMOVE ${files} ${made})
list(LENGTH paths count)
message(STATUS "${count} files removed")
