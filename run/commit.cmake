# Writes OUT, which says of which commit of SOURCE the build is, and whether its files were changed; only if that is news.
#   cmake -DSOURCE=directory -DOUT=file -P commit.cmake
set(commit unknown)
execute_process(COMMAND git -C ${SOURCE} describe --always --abbrev=40 --dirty --exclude=* OUTPUT_VARIABLE described
  OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET RESULT_VARIABLE failed)
if(NOT failed)
  set(commit ${described})
endif()
file(CONFIGURE OUTPUT ${OUT} CONTENT "#include \"run/machine.h\"\n\nconst char machine_commit[] = \"@commit@\";\n" @ONLY)
