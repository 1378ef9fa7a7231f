# `cpack -G DEB` in the build folder: the package for Debian and Ubuntu. The target `dist`: the source,
# as git has it, with its revision.

set(CPACK_PACKAGE_NAME vmcommit)
set(CPACK_PACKAGE_VERSION ${PROJECT_VERSION})
# .invalid can't be anybody's (RFC 2606): whoever publishes the package puts an own address here.
set(CPACK_PACKAGE_CONTACT "vmcommit maintainers <maintainers@vmcommit.invalid>")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "benchmark of what it costs to commit memory")
set(CPACK_DEBIAN_PACKAGE_DESCRIPTION "Measures on this machine what it costs to make reserved memory usable:
all up front, a page at a time when a fault asks for it, in explicit steps,
or in steps that a guard page triggers. Times have confidence intervals,
faults, calls and commit charge are exact counts, and a report says which of
them to choose.")
set(CPACK_STRIP_FILES ON)
set(CPACK_RESOURCE_FILE_LICENSE ${PROJECT_SOURCE_DIR}/LICENSE)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SECTION utils)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_DEPENDS "python3 (>= 3.9), python3-scipy, python3-pandas, python3-jinja2, \
python3-tqdm, gnuplot-nox | gnuplot, fonts-dejavu-core, hyperfine")
set(CPACK_DEBIAN_PACKAGE_RECOMMENDS "strace")
set(CPACK_DEBIAN_PACKAGE_SUGGESTS "linux-perf")
set(CPACK_DEBIAN_PACKAGE_RELEASE 1)
set(CPACK_PRE_BUILD_SCRIPTS ${PROJECT_SOURCE_DIR}/cmake/debian.cmake)
include(CPack)

find_package(Git QUIET)
if(GIT_FOUND AND EXISTS ${PROJECT_SOURCE_DIR}/.git)
  set(name vmcommit-${PROJECT_VERSION})
  add_custom_target(dist
    COMMAND ${GIT_EXECUTABLE} archive --prefix=${name}/
            --output=${PROJECT_BINARY_DIR}/${name}.tar.gz HEAD
    WORKING_DIRECTORY ${PROJECT_SOURCE_DIR} COMMENT "${name}.tar.gz" VERBATIM)
endif()
