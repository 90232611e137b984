# layout.cmake: second and third builds of a worker, linked from its own object files with the functions in a
# shuffled order and padding among them. They do the same instructions at other addresses: where code falls on cache
# lines, pages and branch predictors moves times by as much as many a real difference does (Mytkowicz and others
# 2009, "Producing wrong data without doing anything obviously wrong"). As A/A twins they put that into the noise
# floor. docs/decisions/0005-layout-twins.md
#
#   heapmill_layout_workers(WORKER BINDING)
#
# makes WORKER.layout1 and WORKER.layout2. The order depends on the number at the end and the functions' names, so
# two builds of one tree are the same. Needs binutils gold, whose --section-ordering-file does the work; without it
# HEAPMILL_LAYOUTS is 0 and A/A pairs are one program under two names.

set(HEAPMILL_LAYOUT_DIR ${CMAKE_CURRENT_LIST_DIR} CACHE INTERNAL "")
include(CheckCSourceCompiles)
find_program(HEAPMILL_GOLD ld.gold DOC "The linker that makes layout twins")
set(HEAPMILL_LAYOUTS 0)
if(HEAPMILL_SANITIZE OR HEAPMILL_COVERAGE)
  message(STATUS "Layout twins left out: this build is not for measuring")
elseif(HEAPMILL_GOLD AND CMAKE_OBJDUMP)
  file(WRITE ${CMAKE_BINARY_DIR}/layout/probe.order ".text.main\n")
  set(CMAKE_REQUIRED_LINK_OPTIONS -fuse-ld=gold -Wl,--section-ordering-file=${CMAKE_BINARY_DIR}/layout/probe.order)
  check_c_source_compiles("int main(void) { return 0; }" HEAPMILL_GOLD_LINKS)
  unset(CMAKE_REQUIRED_LINK_OPTIONS)
  if(HEAPMILL_GOLD_LINKS)
    set(HEAPMILL_LAYOUTS 2)
  endif()
endif()
if(NOT HEAPMILL_LAYOUTS AND NOT HEAPMILL_SANITIZE AND NOT HEAPMILL_COVERAGE)
  message(STATUS "Layout twins left out: no ld.gold (Debian: binutils): the noise floor will not contain code layout")
endif()
set_property(GLOBAL PROPERTY HEAPMILL_LAYOUTS ${HEAPMILL_LAYOUTS})

# Padding: sections of one to three times 16 bytes, as functions begin at multiples of 16 and cache lines have 64.
# Behind each other in a shuffled order they move functions within their lines.
set(HEAPMILL_LAYOUT_PADDINGS 200)
if(HEAPMILL_LAYOUTS)
  set(text "/* Made by workloads/layout.cmake: sections for the linker to put between functions. */\n")
  foreach(index RANGE 1 ${HEAPMILL_LAYOUT_PADDINGS})
    math(EXPR bytes "16 * (1 + ${index} % 3)")
    string(APPEND text "__asm__(\".section .text.heapmill_padding_${index},\\\"ax\\\"\\n\\t.balign 16\\n\\t"
                       ".skip ${bytes}, 0xcc\\n\\t.text\");\n")
  endforeach()
  string(APPEND text "typedef int heapmill_padding_is_assembly;\n")
  file(CONFIGURE OUTPUT ${CMAKE_BINARY_DIR}/layout/padding.c CONTENT "${text}" @ONLY)
  add_library(heapmill_layout_padding OBJECT ${CMAKE_BINARY_DIR}/layout/padding.c)
endif()

function(heapmill_layout_workers worker binding)
  get_property(library TARGET heapmill_bind_${binding} PROPERTY HEAPMILL_CALL_LIBRARY)
  foreach(number RANGE 1 ${HEAPMILL_LAYOUTS})
    if(NOT HEAPMILL_LAYOUTS)
      return()
    endif()
    set(target ${worker}.layout${number})
    set(order ${CMAKE_BINARY_DIR}/layout/${target}.order)
    add_custom_command(OUTPUT ${order}
      COMMAND ${CMAKE_COMMAND} -DOBJDUMP=${CMAKE_OBJDUMP} "-DOBJECTS=$<TARGET_OBJECTS:${worker}>" -DSEED=${number}
              -DPADDINGS=${HEAPMILL_LAYOUT_PADDINGS} -DORDER=${order} -P ${HEAPMILL_LAYOUT_DIR}/layout_order.cmake
      DEPENDS $<TARGET_OBJECTS:${worker}> ${HEAPMILL_LAYOUT_DIR}/layout_order.cmake
      COMMENT "Shuffling the functions of ${target}" VERBATIM)
    add_executable(${target} $<TARGET_OBJECTS:${worker}> $<TARGET_OBJECTS:heapmill_layout_padding> ${order})
    target_link_libraries(${target} PRIVATE heapmill_bind_${binding} ${library} heapmill_benchmark_shim m
      Threads::Threads)
    target_link_options(${target} PRIVATE ${HEAPMILL_WORKER_LINK_OPTIONS} -fuse-ld=gold
      -Wl,--section-ordering-file=${order})
    set_target_properties(${target} PROPERTIES LINKER_LANGUAGE CXX LINK_DEPENDS ${order})
  endforeach()
endfunction()
