# An interpreter that has the modules behind `make bench`: BENCH_PYTHON, empty if there is none.
# The first python3 on the PATH may be a private build without the distribution's modules.

set(BENCH_PYTHON_MODULES scipy pandas jinja2 tqdm)

function(find_bench_python)
  list(JOIN BENCH_PYTHON_MODULES ", " modules)
  set(tried "")
  foreach(candidate IN ITEMS "$ENV{VMCOMMIT_PYTHON}" python3 /usr/bin/python3 python py)
    unset(interpreter)
    if(NOT candidate STREQUAL "")
      find_program(interpreter ${candidate} NO_CACHE)
    endif()
    if(NOT interpreter OR interpreter IN_LIST tried)
      continue()
    endif()
    list(APPEND tried ${interpreter})
    execute_process(COMMAND ${interpreter} -c "import ${modules}"
                    RESULT_VARIABLE failed OUTPUT_QUIET ERROR_QUIET)
    if(NOT failed)
      set(BENCH_PYTHON ${interpreter} CACHE FILEPATH "Python with ${modules}")
      message(STATUS "Python for make bench: ${interpreter}")
      return()
    endif()
  endforeach()
  list(JOIN tried ", " tried)
  message(WARNING "No Python has ${modules} (tried: ${tried}). The harnesses build; "
                  "make bench and most tests need it: run ./scripts/setup.sh")
endfunction()

if(NOT BENCH_PYTHON)
  find_bench_python()
endif()
