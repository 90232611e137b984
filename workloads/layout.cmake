# layout.cmake: second and third builds of a worker, linked from its own object files with the functions in a
# shuffled order and padding among them. They do the same instructions at other addresses: where code falls on cache
# lines, pages and branch predictors moves times by as much as many a real difference does (Mytkowicz and others
# 2009, "Producing wrong data without doing anything obviously wrong"). As A/A twins they put that into the noise
# floor. docs/decisions/0005-layout-twins.md
#
#   heapmill_layout_workers(WORKER BINDING)
#
# makes WORKER.layout1 and WORKER.layout2. The order depends on the number at the end and the functions' names, so
# two builds of one tree are the same. The order is a linker script that adds one output section before .text; GNU ld and
# lld take it. With a linker that does not, HEAPMILL_LAYOUTS is 0 and A/A pairs are one program under two names.

set(HEAPMILL_LAYOUT_DIR ${CMAKE_CURRENT_LIST_DIR} CACHE INTERNAL "")
include(CheckCSourceCompiles)
set(HEAPMILL_LAYOUTS 0)
if(HEAPMILL_SANITIZE OR HEAPMILL_COVERAGE)
  message(STATUS "Layout twins left out: this build is not for measuring")
elseif(CMAKE_OBJDUMP)
  file(WRITE ${CMAKE_BINARY_DIR}/layout/probe.ld
    "SECTIONS { .text.heapmill : { *(.text.heapmill_probe) . += 16; } } INSERT BEFORE .text;\n")
  set(CMAKE_REQUIRED_LINK_OPTIONS -Wl,-T,${CMAKE_BINARY_DIR}/layout/probe.ld)
  check_c_source_compiles("int main(void) { return 0; }" HEAPMILL_LINKER_INSERTS)
  unset(CMAKE_REQUIRED_LINK_OPTIONS)
  if(HEAPMILL_LINKER_INSERTS)
    set(HEAPMILL_LAYOUTS 2)
  endif()
endif()
if(NOT HEAPMILL_LAYOUTS AND NOT HEAPMILL_SANITIZE AND NOT HEAPMILL_COVERAGE)
  message(STATUS "Layout twins left out: the linker takes no script with INSERT, as GNU ld and lld do, or there is no "
                 "objdump: the noise floor will not contain code layout")
endif()
set_property(GLOBAL PROPERTY HEAPMILL_LAYOUTS ${HEAPMILL_LAYOUTS})

function(heapmill_layout_workers worker binding)
  get_property(library TARGET heapmill_bind_${binding} PROPERTY HEAPMILL_CALL_LIBRARY)
  foreach(number RANGE 1 ${HEAPMILL_LAYOUTS})
    if(NOT HEAPMILL_LAYOUTS)
      return()
    endif()
    set(target ${worker}.layout${number})
    set(order ${CMAKE_BINARY_DIR}/layout/${target}.ld)
    add_custom_command(OUTPUT ${order}
      COMMAND ${CMAKE_COMMAND} -DOBJDUMP=${CMAKE_OBJDUMP} "-DOBJECTS=$<TARGET_OBJECTS:${worker}>" -DSEED=${number}
              -DORDER=${order} -P ${HEAPMILL_LAYOUT_DIR}/layout_order.cmake
      DEPENDS $<TARGET_OBJECTS:${worker}> ${HEAPMILL_LAYOUT_DIR}/layout_order.cmake
      COMMENT "Shuffling the functions of ${target}" VERBATIM)
    add_executable(${target} $<TARGET_OBJECTS:${worker}> ${order})
    target_link_libraries(${target} PRIVATE heapmill_bind_${binding} ${library} heapmill_benchmark_shim m
      Threads::Threads)
    target_link_options(${target} PRIVATE ${HEAPMILL_WORKER_LINK_OPTIONS} -Wl,-T,${order})
    set_target_properties(${target} PROPERTIES LINKER_LANGUAGE CXX LINK_DEPENDS ${order})
  endforeach()
endfunction()
