# An empty folder for each of NAMES below FOLDER, so that a test starts from the corpus alone.
file(REMOVE_RECURSE ${FOLDER})
foreach(path IN LISTS NAMES)
  cmake_path(GET path FILENAME name)
  file(MAKE_DIRECTORY ${FOLDER}/${name})
endforeach()
