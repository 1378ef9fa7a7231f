# Writes, at each build, which vmcommit this is: version.c for the programs, build.json for Python.
# The version itself stands in project() in CMakeLists.txt. cmake -D... -P version.cmake, with
# SOURCE, OUTPUT, VERSION, COMPILER, COMPILER_VERSION, TYPE, FLAGS and, where it is known, REVISION.

set(archived "$Format:%H$") # which git archive fills in

# A tree unpacked within another repository must not take that one's revision.
if(NOT REVISION AND archived MATCHES "^[0-9a-f]+$")
  set(REVISION ${archived})
endif()
if(NOT REVISION AND EXISTS ${SOURCE}/.git)
  set(git git -c safe.directory=${SOURCE} --no-optional-locks)
  execute_process(COMMAND ${git} rev-parse HEAD WORKING_DIRECTORY ${SOURCE}
                  OUTPUT_VARIABLE REVISION OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
  execute_process(COMMAND ${git} diff --quiet HEAD -- WORKING_DIRECTORY ${SOURCE}
                  RESULT_VARIABLE changed OUTPUT_QUIET ERROR_QUIET)
  if(REVISION AND changed)
    string(APPEND REVISION "+changes")
  endif()
endif()
if(NOT REVISION)
  set(REVISION unknown)
endif()
string(REGEX REPLACE "^(............)[0-9a-f]*" "\\1" SHORT_REVISION "${REVISION}")

# Only where something is new, so that nothing is compiled again without need.
file(CONFIGURE OUTPUT ${OUTPUT}/version.c CONTENT [[/* by cmake/version.cmake */
#include "version.h"

const char version_number[] = "@VERSION@";
const char version_text[] = "@VERSION@, revision @SHORT_REVISION@, @COMPILER@ @COMPILER_VERSION@ @FLAGS@";
]] @ONLY)
file(CONFIGURE OUTPUT ${OUTPUT}/build.json CONTENT [[{
  "version_of_vmcommit": "@VERSION@",
  "revision": "@REVISION@",
  "compiler": "@COMPILER@",
  "version": "@COMPILER_VERSION@",
  "type": "@TYPE@",
  "flags": "@FLAGS@"
}
]] @ONLY)
