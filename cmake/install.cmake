# What `cmake --install` puts where; what the target uninstall takes away again; and packages. All of
# it can be moved as a whole: the command finds the package, and the package the programs, by relative
# paths. Programs lie apart from the PATH, since fault or malloc are no names for it: they are run as
# `vmcommit fault`.

include(GNUInstallDirs)
set(PROGRAMS_DIR ${CMAKE_INSTALL_LIBEXECDIR}/vmcommit)
set(PACKAGE_DIR ${CMAKE_INSTALL_DATADIR}/vmcommit)

# Which folders are new is known before anything is installed, and goes to the list of what uninstall
# removes if it is empty then.
install(CODE "set(folders \"${CMAKE_INSTALL_BINDIR};${CMAKE_INSTALL_INCLUDEDIR}\
;${PROGRAMS_DIR}/bin;${PACKAGE_DIR};${CMAKE_INSTALL_DOCDIR};${CMAKE_INSTALL_MANDIR}/man1\
;${CMAKE_INSTALL_DATADIR}/bash-completion/completions;${CMAKE_INSTALL_DATADIR}/zsh/site-functions\")
set(list ${PROJECT_BINARY_DIR}/install_folders.txt)
include(${PROJECT_SOURCE_DIR}/cmake/new_folders.cmake)")

set(installed_programs ${HARNESSES} ${APART})
foreach(program IN ITEMS calibrate calls job bare slow_upfront slow_fault slow_guard walk record replay array
                        list buffer surroundings)
  if(TARGET ${program})
    list(APPEND installed_programs ${program})
  endif()
endforeach()
install(TARGETS ${installed_programs} RUNTIME DESTINATION ${PROGRAMS_DIR}/bin)
if(TARGET slow)
  install(TARGETS slow LIBRARY DESTINATION ${PROGRAMS_DIR}/bin)
endif()
install(FILES ${CMAKE_RUNTIME_OUTPUT_DIRECTORY}/harnesses.txt DESTINATION ${PROGRAMS_DIR}/bin)
install(FILES ${PROJECT_BINARY_DIR}/build.json DESTINATION ${PROGRAMS_DIR})
install(FILES include/vmcommit.h TYPE INCLUDE)
install(FILES README.md LICENSE CHANGELOG.md TYPE DOC)
install(DIRECTORY docs TYPE DOC)

# The package, and where it finds the programs.
file(RELATIVE_PATH to_programs /${PACKAGE_DIR} /${PROGRAMS_DIR})
file(CONFIGURE OUTPUT ${PROJECT_BINARY_DIR}/programs.txt CONTENT "${to_programs}\n")
install(DIRECTORY scripts/vmcommit DESTINATION ${PACKAGE_DIR} PATTERN __pycache__ EXCLUDE)
install(FILES ${PROJECT_BINARY_DIR}/programs.txt DESTINATION ${PACKAGE_DIR})
install(PROGRAMS scripts/one-host DESTINATION ${PACKAGE_DIR})

set(LIST_INSTALLED "set(list ${PROJECT_BINARY_DIR}/installed_files.txt)
include(${PROJECT_SOURCE_DIR}/cmake/installed_files.cmake)") # once all is installed
if(WIN32 OR NOT BENCH_PYTHON)
  install(CODE ${LIST_INSTALLED})
  return()
endif()

# The command, which runs by the Python that was found here.
get_directory_property(blocking DIRECTORY scripts DEFINITION VMCOMMIT_BLOCKING)
file(RELATIVE_PATH TO_PACKAGE /${CMAKE_INSTALL_BINDIR} /${PACKAGE_DIR}/vmcommit)
install(CODE "set(INSTALLED_PYTHON \"${BENCH_PYTHON}\")
set(VMCOMMIT_BLOCKING \"${blocking}\")
set(TO_PACKAGE \"${TO_PACKAGE}\")
configure_file(\"${PROJECT_SOURCE_DIR}/scripts/installed.in\"
               \"${PROJECT_BINARY_DIR}/installed/vmcommit\" @ONLY)")
install(PROGRAMS ${PROJECT_BINARY_DIR}/installed/vmcommit TYPE BIN)

# Manual pages and completion, made anew where what they are made of is newer.
set(manual ${PROJECT_BINARY_DIR}/manual)
file(GLOB commands CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/scripts/vmcommit/commands/*.py)
file(GLOB kinds CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/src/system/${SYSTEM}/*.c)
set(described ${HARNESSES} ${APART})
list(TRANSFORM described REPLACE "(.+)" "${PROJECT_SOURCE_DIR}/bench/\\1.c" OUTPUT_VARIABLE strategies)
add_custom_command(OUTPUT ${manual}/_vmcommit
  COMMAND ${BENCH_PYTHON} -B ${PROJECT_SOURCE_DIR}/scripts/manual.py ${PROJECT_BINARY_DIR} ${manual}
  DEPENDS ${PROJECT_SOURCE_DIR}/scripts/manual.py ${commands} ${kinds} ${strategies}
          ${PROJECT_SOURCE_DIR}/scripts/vmcommit/measure/profiles.py
          ${PROJECT_SOURCE_DIR}/src/options.c ${PROJECT_SOURCE_DIR}/src/harness.c
          ${PROJECT_SOURCE_DIR}/CMakeLists.txt
  COMMENT "Manual pages and completion" VERBATIM)
add_custom_target(manual ALL DEPENDS ${manual}/_vmcommit)
add_dependencies(manual ${installed_programs} write_version)
install(DIRECTORY ${manual}/man1 TYPE MAN)
install(FILES ${manual}/vmcommit.bash RENAME vmcommit
        DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions)
install(FILES ${manual}/_vmcommit DESTINATION ${CMAKE_INSTALL_DATADIR}/zsh/site-functions)

install(CODE ${LIST_INSTALLED})

add_custom_target(uninstall
  COMMAND ${CMAKE_COMMAND} -DBUILD=${PROJECT_BINARY_DIR}
          -P ${PROJECT_SOURCE_DIR}/cmake/uninstall.cmake VERBATIM)

if(EXISTS /etc/debian_version)
  include(cmake/package.cmake)
endif()
