# layouts.cmake: heapmill_record_link(WORKER) leaves beside the worker how it was linked, WORKER.link, so that heapmill can
# link it again with its functions in another order (run/layouts.h, docs/decisions/0005-layouts.md). The order is a linker
# script that adds one output section before .text; GNU ld and lld take it. With a linker that does not, and in builds that
# are not for measuring, nothing is recorded, HEAPMILL_LAYOUTS is OFF, and A/A pairs are one program under two names.
set(HEAPMILL_RECORD_LINK ${CMAKE_CURRENT_LIST_DIR}/record_link.sh CACHE INTERNAL "")
include(CheckCSourceCompiles)
set(HEAPMILL_LAYOUTS OFF)
if(HEAPMILL_SANITIZE OR HEAPMILL_COVERAGE)
  message(STATUS "Layouts left out: this build is not for measuring")
else()
  file(WRITE ${CMAKE_BINARY_DIR}/layout/probe.ld
    "SECTIONS { .text.heapmill : { *(.text.heapmill_probe) . += 16; } } INSERT BEFORE .text;\n")
  set(CMAKE_REQUIRED_LINK_OPTIONS -Wl,-T,${CMAKE_BINARY_DIR}/layout/probe.ld)
  check_c_source_compiles("int main(void) { return 0; }" HEAPMILL_LINKER_INSERTS)
  unset(CMAKE_REQUIRED_LINK_OPTIONS)
  if(HEAPMILL_LINKER_INSERTS)
    set(HEAPMILL_LAYOUTS ON)
  else()
    message(STATUS "Layouts left out: the linker takes no script with INSERT, as GNU ld and lld do: intervals will not "
                   "contain code layout")
  endif()
endif()
set_property(GLOBAL PROPERTY HEAPMILL_LAYOUTS ${HEAPMILL_LAYOUTS})

function(heapmill_record_link worker)
  if(HEAPMILL_LAYOUTS)
    set_target_properties(${worker} PROPERTIES CXX_LINKER_LAUNCHER ${HEAPMILL_RECORD_LINK})
  endif()
endfunction()
